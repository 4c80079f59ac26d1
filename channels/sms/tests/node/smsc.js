// An SMSC on the npm package `smpp`, for tests: node smsc.js [PORT]. It listens on 127.0.0.1 and writes one JSON line
// for its port and one for each submit_sm. The last two digits of the number decide what becomes of a message:
// 58 throttled, 11 receipt before the answer, 99 never answered, 05 undeliverable; anything else is delivered.
'use strict';
const path = require('path');
const smpp = require(path.join(process.env.TOCSIN_NODE_MODULES, 'smpp'));

let last = 0;

function say(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

function receipt(session, submit, id) {
  const failed = submit.destination_addr.endsWith('05');
  const stat = failed ? 'UNDELIV' : 'DELIVRD';
  const text = `id:${id} sub:001 dlvrd:00${failed ? 0 : 1} submit date:2607140900 done date:2607140901 ` +
    `stat:${stat} err:${failed ? '012' : '000'} text:`;
  const pdu = {
    source_addr: submit.destination_addr,
    destination_addr: submit.source_addr,
    esm_class: 4,
    short_message: text,
  };
  // Every second one only as text, as older SMSCs do.
  if (last % 2 === 0) {
    pdu.receipted_message_id = id;
    pdu.message_state = failed ? 5 : 2;
  }
  session.deliver_sm(pdu, (answer) => say({ receipt: id, status: answer.command_status }));
}

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    const good = pdu.password === 'secret';
    say({ bind: pdu.system_id, version: pdu.interface_version, good });
    session.send(pdu.response({ command_status: good ? 0 : smpp.ESME_RINVPASWD, system_id: 'node' }));
  });
  session.on('submit_sm', (pdu) => {
    const { message, udh } = pdu.short_message;
    const number = pdu.destination_addr.slice(-2);
    say({
      number, text: message, udh: udh ? Buffer.concat(udh).toString('hex') : null,
      esm_class: pdu.esm_class, data_coding: pdu.data_coding, registered: pdu.registered_delivery,
      validity: pdu.validity_period,
    });
    if (number === '99') return;
    if (number === '58') {
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    last += 1;
    const id = 'node-' + last;
    if (number === '11') receipt(session, pdu, id);
    session.send(pdu.response({ message_id: id }));
    if (number !== '11') receipt(session, pdu, id);
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    say({ unbind: true });
    session.send(pdu.response());
    session.close();
  });
});

server.listen(Number(process.argv[2] || 0), '127.0.0.1', () => say({ port: server.address().port }));
