// What the npm package `@wecom/crypto` makes and understands, for tests: node wecom_judge.js, with JSON on standard input
// that has a key, token, timestamp, nonce and owner. With an `envelope` it says what is in it, with a `message` it makes
// one; it adds the signature of the envelope.
'use strict';
const path = require('path');
const { decrypt, encrypt, getSignature } = require(path.join(process.env.TOCSIN_NODE_MODULES, '@wecom/crypto'));

const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const envelope = given.envelope || encrypt(given.key, given.message, given.owner);
const signature = getSignature(given.token, given.timestamp, given.nonce, envelope);
const { message, id } = decrypt(given.key, envelope);
process.stdout.write(JSON.stringify({ envelope, signature, message, owner: id }));
