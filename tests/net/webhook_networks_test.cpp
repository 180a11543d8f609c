// Where webhooks may be sent to: every kind of address that is not public, however it is written.
#include "net/webhooks/networks.hpp"

#include <gtest/gtest.h>

namespace billd::webhooks {
namespace {

Networks networks(const std::vector<std::string>& ranges) { return Networks::parse(ranges).value(); }

TEST(Networks, AdmitPublicAddresses) {
  for (const char* address :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.128.0.1", "223.255.255.255", "2606:4700:4700::1111",
        "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"})
    EXPECT_TRUE(admits(address, Networks())) << address;
}

TEST(Networks, RefuseEverythingThatIsNotPublic) {
  for (const char* address : {"0.0.0.0",
                              "10.0.0.1",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::127.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a9fe:a9fe",
                              "64:ff9b:1::1",
                              "2002:7f00:1::1",
                              "2002:c0a8:101::1",
                              "100::1",
                              "2001::1",
                              "2001:db8::1",
                              "3fff::1",
                              "fc00::1",
                              "fd12::1",
                              "fe80::1",
                              "fe80::1%1",
                              "fec0::1",
                              "ff02::1",
                              "localhost",
                              "127.1",
                              "0x7f.1",
                              "2130706433",
                              ""})
    EXPECT_FALSE(admits(address, Networks())) << address;
}

TEST(Networks, AdmitWhatTheConfigurationAllows) {
  const Networks allowed = networks({"10.1.0.0/16", "127.0.0.1", "fd00:1::/32"});
  for (const char* address : {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1::7"})
    EXPECT_TRUE(admits(address, allowed)) << address;
  for (const char* address : {"10.0.255.255", "10.2.0.0", "127.0.0.2", "fd00:2::7", "::1"})
    EXPECT_FALSE(admits(address, allowed)) << address;
}

TEST(Networks, SayWhichRangeIsNone) {
  for (const char* range : {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "example.com", "", "10.0.0.0/", "10.0.0.0/-1"}) {
    const auto parsed = Networks::parse({"192.168.0.0/16", range});
    ASSERT_FALSE(parsed) << range;
    EXPECT_NE(parsed.error().detail.find(range), std::string::npos) << range;
  }
}

}  // namespace
}  // namespace billd::webhooks
