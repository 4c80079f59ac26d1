# A CMPP client on the PyPI package `pycmpp`, for tests: cmpp_client.py PORT SP_ID SECRET. It logs in, sends one short and
# one long text, asks for a sign of life, and says farewell once it was told of every text. What the package itself
# understood of each answer is its log, on standard output.
import logging
import os
import sys
import threading
import time

from pycmpp.cmpp import Cmpp
from pycmpp.request import ActiveTestRequestInstance

port, sp_id, secret = sys.argv[1:4]
lines = []


class Lines(logging.Handler):
    def emit(self, record):
        line = record.getMessage()
        lines.append(line)
        print(line, flush=True)


logging.basicConfig(level=logging.DEBUG, handlers=[Lines()])


def until(words, count=1):
    deadline = time.monotonic() + 10
    while sum(words in line for line in lines) < count:
        if time.monotonic() > deadline:
            print(f'after ten seconds not {count} of: {words}', flush=True)
            os._exit(1)
        time.sleep(0.02)


client = Cmpp('127.0.0.1', int(port), sp_id, secret, src_id='', delivery=1, client_heartbeat=False)
client.connect()
threading.Thread(target=client.receive, daemon=True).start()
client.auth()
until('短信网关连接')
if any('短信网关连接成功' in line for line in lines):
    client.submit('暴雨红色预警', ['00000000001'])
    until('发送成功; seq_id')
    client.submit('雨' * 100, ['00000000002'])
    until('发送成功; seq_id', 3)
    client.send(ActiveTestRequestInstance().create())
    until('heartbeat')
    client.terminate()
    until('0x80000002')
os._exit(0)
