//! Both channels from outside: at a modem and at a terminal, against their own peers and against far ends and judges that
//! we did not write. These tests must not open a real port.

#[path = "devices/common/mod.rs"]
mod common;
#[path = "devices/hosts.rs"]
mod hosts;
#[path = "devices/judges.rs"]
mod judges;
#[path = "devices/modem.rs"]
mod modem;
#[path = "devices/sms_pdu.rs"]
mod sms_pdu_judge;
#[path = "devices/terminal.rs"]
mod terminal;
