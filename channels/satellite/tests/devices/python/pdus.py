"""Another implementation's word on messages in PDU mode: reads lines "decode HEX" and "encode NUMBER TEXT", writes JSON."""
import json
import sys

from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu


def plain(value):
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "reference") and hasattr(value, "parts"):
        return {"reference": value.reference, "parts": value.parts, "number": value.number}
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if hasattr(value, "timestamp"):
        return int(value.timestamp())
    return str(value)


for line in sys.stdin:
    word, rest = line.rstrip("\n").split(" ", 1)
    if word == "decode":
        answer = {key: plain(value) for key, value in decodeSmsPdu(rest).items()}
    else:
        number, text = rest.split(" ", 1)
        pdus = encodeSmsSubmitPdu(number, text, reference=7, requestStatusReport=True)
        answer = [[str(pdu), pdu.tpduLength] for pdu in pdus]
    print(json.dumps(answer), flush=True)
