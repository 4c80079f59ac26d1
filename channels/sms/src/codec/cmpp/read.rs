//! The fields of CMPP's frames, from the wire. This module must not trust a length.

use super::{Connect, Deliver, Dests, Malformed, Submit, Version};

pub(super) fn until_zero(text: &[u8]) -> &[u8] {
    &text[..text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len())]
}

pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    /// A field of fixed length, without the zeros behind its text.
    pub fn text(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        Ok(until_zero(self.take(length, what)?))
    }

    pub fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        Ok(self.take(1, what)?[0])
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        self.take(N, what)?
            .try_into()
            .map_err(|_| Malformed::Short(what))
    }

    pub fn word(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub fn id(&mut self) -> Result<u64, Malformed> {
        self.array("Msg_Id").map(u64::from_be_bytes)
    }

    pub fn digest(&mut self) -> Result<[u8; 16], Malformed> {
        self.array("Authenticator")
    }

    pub fn result(&mut self, wide: bool) -> Result<u32, Malformed> {
        if wide {
            self.word("Result")
        } else {
            self.byte("Result").map(u32::from)
        }
    }

    pub fn connect(&mut self) -> Result<Connect<'a>, Malformed> {
        Ok(Connect {
            source: self.text(6, "Source_Addr")?,
            authenticator: self.digest()?,
            version: self.byte("Version")?,
            timestamp: self.word("Timestamp")?,
        })
    }

    pub fn submit(&mut self, version: Version) -> Result<Submit<'a>, Malformed> {
        self.take(8, "Msg_Id")?;
        let [parts, part, registered_delivery, level] = self.array("Pk_total")?;
        let service_id = self.text(10, "Service_Id")?;
        let fee_user_type = self.byte("Fee_UserType")?;
        let fee_terminal = self.text(version.number(), "Fee_terminal_Id")?;
        if version.is_3() {
            self.byte("Fee_terminal_type")?;
        }
        let [tp_pid, tp_udhi, format] = self.array("TP_pId")?;
        let source = self.text(6, "Msg_src")?;
        let (fee_type, fee_code) = (self.text(2, "FeeType")?, self.text(6, "FeeCode")?);
        let (validity, at) = (self.text(17, "ValId_Time")?, self.text(17, "At_Time")?);
        let src_id = self.text(21, "Src_Id")?;
        let count = usize::from(self.byte("DestUsr_tl")?);
        let each = version.number();
        let dests = Dests::Padded(self.take(count * each, "Dest_terminal_Id")?, each);
        if version.is_3() {
            self.byte("Dest_terminal_type")?;
        }
        let content = self.content()?;
        Ok(Submit {
            parts,
            part,
            registered_delivery,
            level,
            service_id,
            fee_user_type,
            fee_terminal,
            tp_pid,
            tp_udhi,
            format,
            source,
            fee_type,
            fee_code,
            validity,
            at,
            src_id,
            dests,
            header: &[],
            content,
        })
    }

    pub fn deliver(&mut self, version: Version) -> Result<Deliver<'a>, Malformed> {
        let id = self.id()?;
        let (dest, service_id) = (self.text(21, "Dest_Id")?, self.text(10, "Service_Id")?);
        let [tp_pid, tp_udhi, format] = self.array("TP_pid")?;
        let source = self.text(version.number(), "Src_terminal_Id")?;
        if version.is_3() {
            self.byte("Src_terminal_type")?;
        }
        let registered_delivery = self.byte("Registered_Delivery")?;
        let content = self.content()?;
        Ok(Deliver {
            id,
            dest,
            service_id,
            tp_pid,
            tp_udhi,
            format,
            source,
            registered_delivery,
            content,
        })
    }

    /// What stands behind it, reserved or a `LinkID`, may be missing.
    fn content(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.byte("Msg_Length")?);
        self.take(length, "Msg_Content")
    }
}
