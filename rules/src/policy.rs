//! IAM policy documents in one normal form, whatever way they were written.
