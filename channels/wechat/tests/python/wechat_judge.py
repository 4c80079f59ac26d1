# What the PyPI package `wechatpy` makes and understands, for tests: wechat_judge.py TASK [ARGUMENTS]. It answers with one
# JSON value on standard output.
#   codes                    every error code that it knows
#   open HOUSE, seal HOUSE   decrypts or encrypts one call, given as JSON on standard input
#   parse                    what it reads in one event, given as XML on standard input
#   account URL, work URL    speaks to a far end as its client does
import json
import sys

from wechatpy import WeChatClient, parse_message
from wechatpy.constants import WeChatErrorCode
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise import WeChatClient as WorkClient
from wechatpy.enterprise.crypto import WeChatCrypto as WorkCrypto
from wechatpy.exceptions import WeChatClientException


def crypto(house, given):
    make = WeChatCrypto if house == "account" else WorkCrypto
    return make(given["token"], given["key"], given["owner"])


def opened(house, given):
    judge = crypto(house, given)
    if "echo" in given:
        return judge.check_signature(given["signature"], given["timestamp"], given["nonce"], given["echo"])
    return judge.decrypt_message(given["body"], given["signature"], given["timestamp"], given["nonce"])


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def account(url):
    class Client(WeChatClient):
        API_BASE_URL = url + "/cgi-bin/"

        def fetch_access_token(self):
            params = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
            return self._fetch_access_token(url=url + "/cgi-bin/token", params=params)

    client = Client("wx0000000000000001", "a-secret-of-the-tests")
    sent = client.message.send_template("o-demo_1", "template", {"thing1": {"value": "快走"}})
    scene = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "h12"}}}
    ticket = client.qrcode.create(scene)
    try:
        client.message.send_template("o-demo_1", "template", {"thing1": {"value": ""}})
        refused = 0
    except WeChatClientException as e:
        refused = e.errcode
    return {"sent": sent, "ticket": ticket, "refused": refused, "picture": client.qrcode.get_url(ticket)}


def work(url):
    class Client(WorkClient):
        API_BASE_URL = url + "/cgi-bin/"

        def fetch_access_token(self):
            params = {"corpid": self.corp_id, "corpsecret": self.secret}
            return self._fetch_access_token(url=url + "/cgi-bin/gettoken", params=params)

    client = Client("ww0000000000000001", "a-secret-of-the-tests")
    return client.message.send_text(1000002, ["demo1", "demo2"], "快走")


def answer(task, *arguments):
    if task == "codes":
        return [int(code) for code in WeChatErrorCode]
    if task == "open":
        return text(opened(arguments[0], json.load(sys.stdin)))
    if task == "seal":
        given = json.load(sys.stdin)
        return crypto(arguments[0], given).encrypt_message(given["xml"], given["nonce"], given["timestamp"])
    if task == "parse":
        event = parse_message(sys.stdin.read())
        fields = ["source", "event", "id", "status", "scene_id", "content", "key"]
        return {name: text(getattr(event, name, None)) for name in fields}
    return {"account": account, "work": work}[task](*arguments)


print(json.dumps(answer(*sys.argv[1:])))
