//! Which files of a table are fetched, and in which requests. Files that lie close together are fetched
//! at once.

use super::table::{Chunk, Contents, Stored};
use crate::analyzer::{Analyzers, Entry, Reach, fits};
use crate::source::limits::{self, Budget};
use crate::source::names;
use crate::source::tar::{Member, MemberKind};
use crate::source::wanted::Selection;

/// A range of the layer that is fetched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Group {
    pub(super) const fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// A piece of a file, and which group has it.
#[derive(Debug)]
pub(super) enum Piece {
    Zeros(u64),
    Stored(usize, Stored),
}

/// What there will be of the content of a member.
#[derive(Debug)]
pub(super) enum Source {
    /// It is looked at by its path alone.
    Nothing,
    /// It would have to be looked at whole.
    LeftOut,
    /// Its first pieces, or all of them.
    Pieces(Vec<Piece>),
}

/// A member, and what there will be of it.
pub(super) struct Planned<'a> {
    pub(super) member: &'a Member,
    pub(super) source: Source,
}

/// See the module.
pub(super) struct Plan<'a> {
    pub(super) members: Vec<Planned<'a>>,
    pub(super) groups: Vec<Group>,
    /// Files whose content is left out.
    pub(super) left_out: u64,
}

impl<'a> Plan<'a> {
    /// Asks who wants which file. The error says what is wrong with the table.
    pub(super) fn of(
        contents: &'a Contents,
        analyzers: &Analyzers<'_>,
        selection: &Selection,
        budget: Budget,
    ) -> Result<Self, String> {
        let unclaimed = (analyzers.unclaimed)();
        let mut plan = Self {
            members: Vec::new(),
            groups: Vec::new(),
            left_out: 0,
        };
        for item in &contents.items {
            let member = &item.member;
            let reach = match names::normalise(&member.path) {
                Ok(path) if member.kind == MemberKind::File && member.size > 0 => {
                    let runs = selection.runs(analyzers, &path);
                    let entry = Entry {
                        path: &path,
                        size: member.size,
                        is_executable: member.executable,
                    };
                    if !runs.is_empty() {
                        // What is too long is a gap by its size alone.
                        if fits(member.size, &runs, budget.file()) {
                            Some(u64::MAX)
                        } else {
                            Some(0)
                        }
                    } else if matches!(selection, Selection::Installed) {
                        match unclaimed.reach(&entry) {
                            Reach::Nothing => Some(0),
                            Reach::First(most) => Some(most),
                            Reach::Whole => None,
                        }
                    } else {
                        Some(0)
                    }
                }
                // Nothing of it is read; a bad name is a gap of its own.
                _ => Some(0),
            };
            let source = match reach {
                None => {
                    plan.left_out = plan.left_out.saturating_add(1);
                    Source::LeftOut
                }
                Some(0) if member.size > 0 => Source::Nothing,
                Some(most) => {
                    let chunks = contents.chunks(item)?;
                    Source::Pieces(plan.pieces(chunks, most)?)
                }
            };
            plan.members.push(Planned { member, source });
        }
        Ok(plan)
    }

    /// The pieces with the first bytes of a file.
    fn pieces(&mut self, chunks: Vec<Chunk>, most: u64) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        let mut have = 0_u64;
        for chunk in chunks {
            if have >= most {
                break;
            }
            let (size, piece) = match chunk {
                Chunk::Zeros(size) => (size, Piece::Zeros(size)),
                Chunk::Stored(stored) => (stored.size, Piece::Stored(self.group(&stored)?, stored)),
            };
            have = have.saturating_add(size);
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// The group that has a piece: the last one, where that is close enough.
    fn group(&mut self, piece: &Stored) -> Result<usize, String> {
        let length = piece.end.saturating_sub(piece.start);
        if length > limits::PARTIAL_GROUP_MOST {
            return Err("a chunk is too long to be fetched at once".to_owned());
        }
        if let Some(last) = self.groups.last_mut()
            && piece.start >= last.start
            && piece.start <= last.end.saturating_add(limits::PARTIAL_DISTANCE)
            && (piece.end <= last.end
                || piece.end.saturating_sub(last.start) <= limits::PARTIAL_GROUP)
        {
            last.end = last.end.max(piece.end);
        } else {
            self.groups.push(Group {
                start: piece.start,
                end: piece.end,
            });
        }
        Ok(self.groups.len().saturating_sub(1))
    }

    /// Bytes of all groups.
    pub(super) fn bytes(&self) -> u64 {
        let lengths = self.groups.iter().map(|group| group.length());
        lengths.fold(0, u64::saturating_add)
    }
}
