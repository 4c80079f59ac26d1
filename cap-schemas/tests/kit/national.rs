//! A message of GB/T 35965.1 that keeps every rule, to be broken one rule at a time.

pub const NATIONAL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert>
  <identifier>51072741600000_20260601160000</identifier>
  <sender>平武县气象台</sender>
  <senderCode>51072741600000</senderCode>
  <sendTime>2026-06-01 16:00:00+08:00</sendTime>
  <status>Actual</status>
  <msgType>Update</msgType>
  <scope>Public</scope>
  <code>
    <method><methodName>SMS</methodName><message>请立即转移</message><audienceGrp>1,2</audienceGrp><audenceprt/></method>
    <method><methodName>SPEAKER</methodName><message/></method>
  </code>
  <secClassification>None</secClassification>
  <note>升级</note>
  <references>51072741600000_20260601120000</references>
  <info>
    <language>zh-CN</language>
    <eventType>11B03</eventType>
    <urgency>Unknown</urgency>
    <severity>Red</severity>
    <certainty>Unknown</certainty>
    <effective>2026-06-01 16:00:00+08:00</effective>
    <onset>2026-06-01 17:00:00+08:00</onset>
    <expires>2026-06-01 22:00:00+08:00</expires>
    <senderName>签发员甲</senderName>
    <headline>平武县气象台发布暴雨红色预警[I级/特别重大]</headline>
    <description>三小时降雨量将达一百毫米以上。</description>
    <instruction>请立即转移到高处。</instruction>
    <web>https://example.org/warning</web>
    <resource><resourceDesc>51072741600000_20260601160000_O_01.jpg</resourceDesc><size>6</size>
      <digest>8843d7f92416211de9ebb963ff4ce28125932878</digest></resource>
    <area>
      <areaDesc>平武县</areaDesc>
      <polygon>31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0</polygon>
      <circle>32.4,104.5 12500</circle>
      <geocode>510727000000,510727100</geocode>
    </area>
  </info>
</alert>
"#;
