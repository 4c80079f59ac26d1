"""A loudspeaker's box that was written from docs/controllers.md alone, on paho-mqtt and cryptography.

One argument: JSON with port, ca, password, device, group, channel, seed (its key), live and drill (the gateway's keys) and
seconds (how long a text sounds). It says what it does, one JSON a line. It must not share a line with the gateway.
"""

import hashlib
import json
import os
import ssl
import sys
import threading
import time

import paho.mqtt.client as mqtt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

it = json.loads(sys.argv[1])
device = it["device"]
own = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(it["seed"]))
gateway = {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(it[name])) for name in ("live", "drill")}
lock = threading.RLock()
floor, took, played, waiting = 0, [], set(), {}
ahead, newest = 0, 0


def topic(what, whose=device):
    return f"tocsin/{it['channel']}/{what}/{whose}"


def say(**words):
    # In one write: print would write the line and its end apart, and two threads speak here.
    os.write(1, (json.dumps(words, ensure_ascii=False) + "\n").encode())


def covered(signed):
    """What the signature is over: the body, or the hashes of all that were signed at once."""
    body, beside = signed["body"].encode(), signed.get("beside")
    if not beside:
        return body
    if hashlib.sha256(body).hexdigest() not in beside:
        return b""
    return "".join(f"{line}\n" for line in ["tocsin-orders-1", *beside]).encode()


def signed_by(signed):
    for name, key in gateway.items():
        try:
            key.verify(bytes.fromhex(signed["signature"]), covered(signed))
            return name
        except (InvalidSignature, ValueError):
            pass
    return None


def names(to):
    for item in to.split(" "):
        first, dots, last = item.partition("..")
        if not dots:
            if first == device:
                return True
        elif len(first) == len(device) and first[: -len(last)] == device[: -len(last)]:
            if device[-len(last) :].isdigit() and first[-len(last) :] <= device[-len(last) :] <= last:
                return True
    return False


def refusal(signed, now):
    by = signed_by(signed)
    if by is None:
        return "forged", None
    order = json.loads(signed["body"])
    if order.get("v") != 3 or order.get("kind") not in ("play", "tone", "stop", "stop-all", "volume", "prolong"):
        return "malformed", None
    if order["drill"] != (by == "drill"):
        return "drill-for-live", order
    if not names(order["to"]):
        return "not-addressed", order
    if order["kind"] == "play" and order["drill"] and not any(m in order["text"] for m in ("演练", "DRILL", "Drill")):
        return "unmarked-drill", order
    if order["counter"] <= floor or order["counter"] in took:
        return "replayed", order
    if order["not_before"] > now + 7 * 86400_000:
        return "early", order
    if order["expires"] <= now:
        return "expired", order
    return None, order


def call(name, body):
    """Signs one call and sends it; its signature is what an answer names."""
    global newest
    with lock:
        newest = max(newest + 1, int(time.time() * 1000) + ahead)
        text = json.dumps(body)
        head = f"tocsin-call-1\n{name}\n{device}\n{newest}\n"
        signature = own.sign(head.encode() + text.encode()).hex()
        envelope = {"call": name, "body": text, "authorization": f"Tocsin {device} {newest} {signature}"}
        client.publish(topic("calls"), json.dumps(envelope), qos=1)
        return signature


def window():
    return {"after": floor, "took": took}


def report(body):
    """Until the gateway says that it is in its journal, or will never take it."""
    while True:
        answered = threading.Event()
        answer = {}
        with lock:
            signature = call("reports", body)
            waiting[signature] = (answered, answer)
        answered.wait(1.0)
        with lock:
            waiting.pop(signature, None)
        if answer.get("status") in (200, 400, 403, 422):
            say(reported=body["state"], status=answer["status"])
            return
        if answer:
            say(unkept=body["state"], status=answer["status"])
            time.sleep(0.3)


def play(order):
    name = order["order"]
    with lock:
        again = name in played
        played.add(name)
    if not again:
        say(played=name, text=order["text"], counter=order["counter"])
        report({"order": name, "state": "playing", "source": "network"})
        time.sleep(it["seconds"])
    done = {"order": name, "state": "played", "whole": True, "source": "network", "seconds": 7}
    if order["kind"] != "play":
        done = {"order": name, "state": "done"}
    report(done)


def on_order(signed):
    global floor
    now = int(time.time() * 1000) + ahead
    with lock:
        why, order = refusal(signed, now)
        if why is None:
            took.append(order["counter"])
            took.sort()
            if len(took) > 16:
                floor = took.pop(0)
            call("took", window())
    if why is not None:
        say(refused=why)
        if why in ("drill-for-live", "unmarked-drill", "early", "expired"):
            threading.Thread(
                target=report, args=({"order": order["order"], "state": "failed", "code": why},), daemon=True
            ).start()
        return
    threading.Thread(target=play, args=(order,), daemon=True).start()


def on_answer(signed):
    global ahead
    if signed_by(signed) != "live":
        say(unbelieved="answer")
        return
    answer = json.loads(signed["body"])
    if answer["to"] != device:
        say(unbelieved="answer")
        return
    if answer["reply"].get("code") == "stale-time":
        ahead = answer["reply"]["time"] - int(time.time() * 1000)
    with lock:
        answered, into = waiting.get(answer["answers"], (None, None))
        if answered:
            into.update(answer)
            answered.set()
        else:
            say(answered=answer["status"], reply=answer["reply"])


def on_message(_client, _data, message):
    if message.topic == topic("gateway", "state"):
        say(gateway=message.payload.decode(), retained=message.retain)
        if message.payload == b"online" and not message.retain:
            call("orders", window())
        return
    try:
        said = json.loads(message.payload)
        if message.topic == topic("answers"):
            on_answer(said)
        else:
            for signed in said["orders"]:
                on_order(signed)
    except (ValueError, KeyError, TypeError):
        say(refused="malformed")


def on_connect(_client, _data, _flags, reason, _properties):
    if reason.is_failure:
        say(connected=str(reason))
        return
    group = topic("groups", device[: it["group"]])
    client.subscribe([(one, 1) for one in (topic("orders"), topic("answers"), group, topic("gateway", "state"))])


def on_subscribe(*_):
    client.publish(topic("state"), "online", qos=1, retain=True)
    call("orders", window())
    beat()
    say(connected="yes")


def beat():
    call("heartbeats", {"state": "idle", "clock": int(time.time() * 1000) + ahead, "volume": 80, "power": "solar"})


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv5)
client.username_pw_set(device, it["password"])
client.tls_set(ca_certs=it["ca"], cert_reqs=ssl.CERT_REQUIRED)
client.will_set(topic("state"), "offline", qos=1, retain=True)
client.reconnect_delay_set(1, 2)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
session = Properties(PacketTypes.CONNECT)
session.SessionExpiryInterval = 3600
client.connect("127.0.0.1", it["port"], keepalive=5, clean_start=False, properties=session)
client.loop_start()
for line in sys.stdin:
    words = line.split()
    if words[0] == "beat":
        beat()
    elif words[0] == "local":
        report({"state": "played", "source": words[1], "seconds": int(words[2])})
