//! What a broker says, of orders that are given to it and of devices that have left it. This module must not take its word for
//! a device's.

use channel::{Failure, FailureClass, Key};

use super::Desk;

impl Desk {
    /// Whether an order that is not fetched is on its way to somebody.
    pub(crate) fn pushed(&mut self, device: &str, key: Key, pushed: bool) {
        if let Some(order) = self.order(device, key) {
            order.pushed = pushed;
        }
    }

    /// It could not be pushed. It lies on until it expires, but for one that is given back: nobody would call that off.
    pub(crate) fn not_pushed(&mut self, device: &str, key: Key, why: Failure) {
        let given_back = why.class == FailureClass::LinkDown;
        if let Some(order) = self.order(device, key) {
            order.settle(|| Err(why));
        }
        if let Some(device) = self.devices.get_mut(device).filter(|_| given_back) {
            device.orders.retain(|order| order.key != key);
        }
    }

    /// The device is said to be gone until it speaks again; its last word when that is news.
    pub(crate) fn gone(&mut self, device: &str) -> Option<String> {
        let device = self.device(device);
        (!std::mem::replace(&mut device.silent, true)).then(|| device.word.clone())
    }
}
