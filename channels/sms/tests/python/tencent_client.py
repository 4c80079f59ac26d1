# One text by Tencent's own client, for tests: tencent_client.py HOST:PORT KEY SECRET. Prints the code of the answer.
import sys

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models, sms_client

endpoint, key, secret = sys.argv[1:4]
profile = ClientProfile(httpProfile=HttpProfile(protocol='http', endpoint=endpoint))
client = sms_client.SmsClient(credential.Credential(key, secret), 'ap-guangzhou', profile)
request = models.SendSmsRequest()
request.PhoneNumberSet = ['+8600000000001']
request.SmsSdkAppId = '1400000000'
request.SignName = '平武气象'
request.TemplateId = '1110'
request.TemplateParamSet = ['暴雨红色']
try:
    print(client.SendSms(request).SendStatusSet[0].Code)
except TencentCloudSDKException as error:
    print(error.get_code())
