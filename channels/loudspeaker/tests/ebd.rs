//! The link to a broadcast platform from outside: the contract's suite against a platform of our own over real HTTP, its
//! stories, its misbehaviour, what strangers send, and the signatures judged by openssl.

#[path = "ebd/common.rs"]
mod common;
#[path = "ebd/asked.rs"]
mod ebd_asked;
#[path = "ebd/device.rs"]
mod ebd_device;
#[path = "ebd/door.rs"]
mod ebd_door;
#[path = "ebd/signed.rs"]
mod ebd_signed;
#[path = "ebd/stories.rs"]
mod ebd_stories;
mod gateway;
mod openssl;
