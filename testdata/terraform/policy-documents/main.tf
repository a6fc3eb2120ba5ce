data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "base" {
  statement {
    sid       = "One"
    actions   = ["s3:Get*", "s3:List*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.me.arn]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
  statement {
    sid         = "Two"
    effect      = "Deny"
    not_actions = ["iam:*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "sum" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  override_policy_documents = [jsonencode({
    Statement = [{ Sid = "Two", Effect = "Allow", Action = "x:y", Resource = "r" }]
  })]
}

data "aws_iam_policy_document" "open" {
  source_policy_documents = [data.aws_caller_identity.me.policy]
  statement {
    actions   = ["a:b"]
    resources = ["r"]
  }
}
