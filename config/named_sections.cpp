// The settings of what there can be any number of: payment processors, and senders of webhooks.
#include <algorithm>
#include <array>

#include "config/setting_table.hpp"

namespace billd {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::int64_t in(milliseconds duration) { return duration.count(); }

// The key in the section is the member's own, by construction.
#define BILLD_SETTING(holder, key, ...)                                       \
  SettingOf<holder> {                                                         \
    #key, [](holder& settings) -> auto& { return settings.key; }, __VA_ARGS__ \
  }

constexpr std::array processor_settings = {
    BILLD_SETTING(ProcessorSettings, kind, "Whose API it speaks; must be set."),
    BILLD_SETTING(ProcessorSettings, mode,
                  "Whether it moves real money. It must agree with its key, and only sources of this mode are charged "
                  "through it."),
    BILLD_SETTING(ProcessorSettings, url,
                  "Where its API is; empty: where the processor's own is. Kind http has no other, see "
                  "net/gateways/http_contract.md."),
    BILLD_SETTING(ProcessorSettings, key_file,
                  "The file whose first line is the secret key (of kind http: what requests are signed with); others "
                  "must not be able to read it. A relative path is taken from systemd's credentials directory, if "
                  "there is one."),
    BILLD_SETTING(ProcessorSettings, certificates_file,
                  "PEM file with the authorities that its certificate must come from; empty: the system's."),
    BILLD_SETTING(ProcessorSettings, connect_timeout, "Time to connect.", "", 10, in(minutes(1))),
    BILLD_SETTING(ProcessorSettings, request_timeout,
                  "Time for a whole request, the wait for its turn included; after it the outcome is unknown. Must be "
                  "less than billing.charge_resolve_after.",
                  "", 100, in(minutes(5))),
    BILLD_SETTING(ProcessorSettings, requests_per_second_max, "Most requests that are begun in a second.", "requests",
                  1, 10'000),
    BILLD_SETTING(ProcessorSettings, concurrency_max, "Most requests at once.", "requests", 1, 1'000),
    BILLD_SETTING(ProcessorSettings, waiting_max,
                  "Most requests that wait for their turn. What comes beyond that is put off until "
                  "billing.charge_resolve_after has passed, so that the jobs of one processor leave room for those of "
                  "the others.",
                  "requests", 0, 10'000),
    BILLD_SETTING(ProcessorSettings, breaker_failures,
                  "After how many requests in a row without a usable answer it is left alone for a while.", "requests",
                  1, 1'000),
    BILLD_SETTING(ProcessorSettings, breaker_pause, "How long it is left alone then.", "", 100, in(hours(1))),
};

constexpr std::array webhook_source_settings = {
    BILLD_SETTING(WebhookSourceSettings, kind,
                  "How its requests are signed, which must be set: as Stripe's, by Standard Webhooks, or by an "
                  "HMAC-SHA256 of the body in a header."),
    BILLD_SETTING(WebhookSourceSettings, mode, "Of which mode the customers are that it may speak of."),
    BILLD_SETTING(WebhookSourceSettings, secret_files,
                  "The files whose first lines are the secrets, as for a gateway's key_file; at least one, several "
                  "while one is being exchanged."),
    BILLD_SETTING(WebhookSourceSettings, gateway, "The gateway that it speaks for; empty: the one of the same name."),
    BILLD_SETTING(WebhookSourceSettings, header, "The header that holds the signature; of kind hmac."),
    BILLD_SETTING(WebhookSourceSettings, encoding, "How the signature is written; of kind hmac."),
};

#undef BILLD_SETTING

}  // namespace

const NamedSections<ProcessorSettings>& processor_sections() {
  static const NamedSections<ProcessorSettings> sections{
      "gateways.", "acme",
      "Payment processors: a section [gateways.NAME] for each, and any number of them. Payment sources know theirs by "
      "this name, so it must not change.",
      [](Settings& settings) -> auto& { return settings.gateways.processors; }, processor_settings};
  return sections;
}

const NamedSections<WebhookSourceSettings>& webhook_source_sections() {
  static const NamedSections<WebhookSourceSettings> sections{
      "webhook_sources.", "acme",
      "Who may send webhooks to POST /webhooks/NAME: a section [webhook_sources.NAME] for each, and any number of "
      "them. See net/api/incoming/webhooks.md.",
      [](Settings& settings) -> auto& { return settings.webhook_sources; }, webhook_source_settings};
  return sections;
}

bool is_section_name(std::string_view name) {
  if (name.empty() || name.size() > 40 || name[0] < 'a' || name[0] > 'z') return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

}  // namespace billd
