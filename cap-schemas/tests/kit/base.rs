//! A message of CAP 1.2 that keeps every rule, to be broken one rule at a time.

pub const BASE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>51072741600000_20260601160000</identifier>
  <sender>warning@example.org</sender>
  <sent>2026-06-01T16:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <scope>Public</scope>
  <references>warning@example.org,51072741600000_20260601120000,2026-06-01T12:00:00+08:00</references>
  <incidents>"heavy rain" flood</incidents>
  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <event>暴雨</event>
    <responseType>Evacuate</responseType>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <eventCode><valueName>SAME</valueName><value>FFW</value></eventCode>
    <effective>2026-06-01T16:00:00+08:00</effective>
    <onset>2026-06-01T17:00:00+08:00</onset>
    <expires>2026-06-01T22:00:00+08:00</expires>
    <headline>暴雨红色预警</headline>
    <description>三小时降雨量将达一百毫米以上。</description>
    <web>https://example.org/warning</web>
    <parameter><valueName>colour</valueName><value>Red</value></parameter>
    <resource>
      <resourceDesc>map</resourceDesc>
      <mimeType>image/png</mimeType>
      <size>6</size>
      <uri>https://example.org/map.png</uri>
      <digest>8843d7f92416211de9ebb963ff4ce28125932878</digest>
    </resource>
    <area>
      <areaDesc>北川县</areaDesc>
      <polygon>31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0</polygon>
      <circle>31.5,104.5 12.5</circle>
      <geocode><valueName>CPEAS Geographic Code</valueName><value>510726000000</value></geocode>
      <altitude>1000</altitude>
      <ceiling>2000.5</ceiling>
    </area>
  </info>
</alert>
"#;
