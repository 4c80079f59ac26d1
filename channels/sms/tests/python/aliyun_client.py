# One text by Aliyun's own client, for tests: aliyun_client.py HOST:PORT KEY SECRET. Prints the code of the answer.
import sys

from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils_models import Config

endpoint, key, secret = sys.argv[1:4]
client = Client(Config(access_key_id=key, access_key_secret=secret, endpoint=endpoint, protocol='HTTP'))
request = models.SendSmsRequest(
    phone_numbers='00000000001', sign_name='平武气象', template_code='SMS_1',
    template_param='{"text": "暴雨 红色+预警*~"}')
try:
    print(client.send_sms(request).body.code)
except Exception as error:
    print(getattr(error, 'code', None) or error)
