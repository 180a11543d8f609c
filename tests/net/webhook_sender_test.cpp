// The sender's small decisions: Retry-After, and which URLs an endpoint may have.
#include <gtest/gtest.h>

#include "net/webhooks/sender.hpp"

namespace billd::webhooks {
namespace {

constexpr Timestamp now = from_unix(1'445'412'000);  // Wed, 21 Oct 2015 07:20:00 GMT

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("120", now), std::chrono::seconds(120));
  EXPECT_EQ(parse_retry_after("0", now), std::chrono::seconds(0));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), std::chrono::minutes(8));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:00:00 GMT", now), std::chrono::seconds(0));
  EXPECT_EQ(parse_retry_after("99999999999999999999", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("999999999999", now), std::chrono::hours(366 * 24));
  for (const char* none : {"", "-1", "soon", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT, then", "21 Oct 2015"})
    EXPECT_EQ(parse_retry_after(none, now), std::nullopt) << none;
}

struct Url {
  const char* text;
  bool is_live;
  const char* problem;  ///< a part of the sentence; empty: it is fine
};

class UrlsOfEndpoints : public testing::TestWithParam<Url> {};

TEST_P(UrlsOfEndpoints, AreCheckedBeforeAnythingIsSent) {
  const Networks allowed = Networks::parse({"10.1.0.0/16"}).value();
  const auto checked = check_url(GetParam().text, GetParam().is_live, allowed);
  if (*GetParam().problem == '\0') {
    EXPECT_TRUE(checked) << checked.error().detail;
    return;
  }
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().parameter, "url");
  EXPECT_NE(checked.error().detail.find(GetParam().problem), std::string::npos) << checked.error().detail;
}

INSTANTIATE_TEST_SUITE_P(
    Table, UrlsOfEndpoints,
    testing::Values(Url{"https://example.com/hooks?a=b", true, ""}, Url{"http://example.com/hooks", false, ""},
                    Url{"http://example.com/hooks", true, "https"}, Url{"ftp://example.com", false, "http"},
                    Url{"example.com/hooks", false, "Not a valid URL"}, Url{"https://", false, "Not a valid URL"},
                    Url{"https://user:word@example.com", false, "user or password"},
                    Url{"https://127.0.0.1/", false, "publicly accessible"},
                    Url{"https://[::1]/", false, "publicly accessible"},
                    Url{"https://[::ffff:10.0.0.1]/", false, "publicly accessible"},
                    Url{"https://169.254.169.254/latest", true, "publicly accessible"},
                    Url{"https://10.1.2.3/", true, ""}, Url{"https://10.2.2.3/", true, "publicly accessible"},
                    Url{"https://93.184.216.34/", true, ""}));

}  // namespace
}  // namespace billd::webhooks
