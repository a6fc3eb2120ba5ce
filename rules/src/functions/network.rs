//! CIDR arithmetic for IPv4 and IPv6, on 128-bit integers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::FunctionError;
use super::call::{Args, argument, whole};
use super::convert::to_number;
use super::limits::item_count;
use crate::Value;
use crate::value::Kind;

/// An address range: the bits of its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// First address.
    pub address: u128,
    /// Length of the prefix.
    pub prefix: u32,
    /// 32 or 128.
    pub width: u32,
}

impl Block {
    /// Reads `address/length`; host bits are cleared.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (bits, width) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= width)?;
        let mut block = Self {
            address: bits,
            prefix,
            width,
        };
        block.address &= !block.host_mask();
        Some(block)
    }

    fn host_bits(self) -> u32 {
        self.width.saturating_sub(self.prefix)
    }

    /// Ones where the address may vary.
    pub(super) fn host_mask(self) -> u128 {
        ones(self.host_bits())
    }

    fn address_text(self, bits: u128) -> String {
        if self.width == 32 {
            let bits = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
            Ipv4Addr::from(bits).to_string()
        } else {
            Ipv6Addr::from(bits).to_string()
        }
    }

    fn text(self) -> String {
        format!("{}/{}", self.address_text(self.address), self.prefix)
    }
}

fn ones(count: u32) -> u128 {
    1_u128
        .checked_shl(count)
        .map_or(u128::MAX, |bit| bit.wrapping_sub(1))
}

fn block(args: &Args<'_>) -> Result<Block, FunctionError> {
    Block::parse(args.text(0)).ok_or_else(|| argument("not a valid CIDR prefix"))
}

/// `cidrhost(prefix, number)`: a negative number counts from the end.
pub(super) fn cidrhost(args: &Args<'_>) -> Result<Value, FunctionError> {
    let block = block(args)?;
    let number = whole(args.number(1))?;
    let magnitude = number.abs().to_u128().unwrap_or(u128::MAX);
    let too_large = || argument("the prefix has no such host number");
    let host = if number.is_sign_negative() && !number.is_zero() {
        block
            .host_mask()
            .checked_sub(magnitude.saturating_sub(1))
            .ok_or_else(too_large)?
    } else {
        magnitude
    };
    if host > block.host_mask() {
        return Err(too_large());
    }
    Ok(block.address_text(block.address | host).into())
}

/// `cidrnetmask(prefix)`
pub(super) fn cidrnetmask(args: &Args<'_>) -> Result<Value, FunctionError> {
    let block = block(args)?;
    if block.width != 32 {
        return Err(argument("only IPv4 has network masks"));
    }
    Ok(block.address_text(!block.host_mask()).into())
}

/// `cidrsubnet(prefix, newbits, netnum)`
pub(super) fn cidrsubnet(args: &Args<'_>) -> Result<Value, FunctionError> {
    let block = block(args)?;
    let prefix = longer(block, args.number(1))?;
    let number = whole(args.number(2))?
        .to_u128()
        .ok_or_else(|| argument("the network number must not be negative"))?;
    if number > ones(prefix.saturating_sub(block.prefix)) {
        return Err(argument(
            "the new bits have no room for this network number",
        ));
    }
    let shift = block.width.saturating_sub(prefix);
    // All 128 bits are shifted out only if the number is zero.
    let network = number.checked_shl(shift).unwrap_or_default();
    let subnet = Block {
        address: block.address | network,
        prefix,
        ..block
    };
    Ok(subnet.text().into())
}

fn longer(block: Block, bits: Decimal) -> Result<u32, FunctionError> {
    whole(bits)?
        .to_u32()
        .and_then(|bits| block.prefix.checked_add(bits))
        .filter(|prefix| *prefix <= block.width)
        .ok_or_else(|| argument("the prefix cannot be made longer by so many bits"))
}

/// `cidrsubnets(prefix, newbits…)`: one after the other, each at its own boundary.
pub(super) fn cidrsubnets(args: &Args<'_>) -> Result<Value, FunctionError> {
    let block = block(args)?;
    item_count(args.all().len())?;
    let mut next: Option<u128> = Some(block.address);
    let last = block.address | block.host_mask();
    let mut subnets = Vec::new();
    for bits in args.from(1) {
        let Kind::Number(bits) = to_number(bits)?.kind else {
            return Err(argument("a number required"));
        };
        if bits < Decimal::ONE {
            return Err(argument("at least one new bit required"));
        }
        let prefix = longer(block, bits)?;
        let full = || argument("the prefix has no room for all subnets");
        let size = ones(block.width.saturating_sub(prefix));
        let start = next
            .and_then(|next| next.checked_add(size))
            .map(|end| end & !size)
            .ok_or_else(full)?;
        let end = start | size;
        if end > last {
            return Err(full());
        }
        next = end.checked_add(1);
        let subnet = Block {
            address: start,
            prefix,
            ..block
        };
        subnets.push(Value::from(subnet.text()));
    }
    Ok(Value::list(subnets))
}
