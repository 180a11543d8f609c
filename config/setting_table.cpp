#include "config/setting_table.hpp"

#include <algorithm>
#include <array>

#include "config/choices.hpp"

namespace billd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The path in the file is the member's own, by construction. Arguments that a type does not use are left out.
#define BILLD_SETTING(member, ...)                                                    \
  Setting {                                                                           \
    #member, [](Settings& settings) -> auto& { return settings.member; }, __VA_ARGS__ \
  }

#define BILLD_TLS_SETTINGS(section)                                                                               \
  BILLD_SETTING(section.certificate_file,                                                                         \
                "The listener's certificate and those between it and an authority, as PEM: with it the listener " \
                "speaks TLS 1.2 and later, and nothing else. Files are read anew with every reload."),            \
      BILLD_SETTING(section.key_file, "The certificate's private key, as PEM.")

#define BILLD_FACE_SETTINGS(section)                                                                            \
  BILLD_SETTING(section.listen, "A listener for this API alone, such as \"127.0.0.1:4244\"; empty for none."),  \
      BILLD_SETTING(section.hosts,                                                                              \
                    "Names in the Host field of requests which mean this API, such as [\"api.example.com\"]."), \
      BILLD_SETTING(section.path_prefix,                                                                        \
                    "What a path begins with which means this API, such as \"/pay\"; it is cut off."),          \
      BILLD_TLS_SETTINGS(section.tls)

constexpr std::int64_t in(milliseconds duration) { return duration.count(); }

constexpr std::array settings_in_order = {
    BILLD_SETTING(state_directory,
                  "The directory of the embedded Redis' data and of billd's own files. Under systemd, where it is not "
                  "set, it is the unit's StateDirectory."),
    BILLD_SETTING(development,
                  "Start for trying out: makes a test key if there is none, and says how to use it. Changes nothing "
                  "about money."),
    BILLD_SETTING(partitions,
                  "Over how many partitions the accounts are spread. Fixed when the data set is created: 16 serve one "
                  "Redis, a Redis Cluster wants some 16 for each of its masters.",
                  "partitions", 1, 4'096),

    BILLD_SETTING(daemon.name,
                  "The identity by which a restarted daemon takes its partitions back; unique among the daemons of one "
                  "Redis. Where it is not set, it is the host's name and the API's port."),

    BILLD_SETTING(log.level, "The least severe level that is logged."),
    BILLD_SETTING(log.format,
                  "How the log is written to the standard error stream: text, one JSON object a line, or entries of "
                  "systemd's journal with a field for each identifier; automatic is journal where that stream is the "
                  "journal, text elsewhere."),

    BILLD_SETTING(api.listen,
                  "Where programs reach the APIs. Paths and keys tell them apart: /users is the funding sources API, "
                  "/api/v01 the Management API; on /v1 a key that begins with stest_ or sprod_ means Stancer's API, "
                  "anything else Stripe's."),
    BILLD_SETTING(api.token_life, "How long a token, a SetupIntent, or a payment method that is nobody's can be used.",
                  "", in(minutes(1)), in(days(90))),
    BILLD_SETTING(api.aliased_customers_remembered,
                  "Of how many customers from another system (billd import) a daemon remembers what that calls their "
                  "objects, so that their requests and answers are translated without a question to Redis. About 1 kB "
                  "each, and up to twice as many.",
                  "customers", 100, 10'000'000),
    BILLD_SETTING(api.aliases_remembered,
                  "Of how many identifiers of another system it remembers to which customer they lead. About 200 bytes "
                  "each, and up to twice as many.",
                  "identifiers", 100, 10'000'000),
    BILLD_TLS_SETTINGS(api.tls),

    BILLD_FACE_SETTINGS(faces.stripe),
    BILLD_FACE_SETTINGS(faces.stancer),
    BILLD_FACE_SETTINGS(faces.management),
    BILLD_FACE_SETTINGS(faces.funding_sources),

    BILLD_SETTING(operators.listen,
                  "Where operators reach the status page, the metrics and the actions. Anywhere but on the loopback "
                  "it takes a tokens_file."),
    BILLD_SETTING(operators.tokens_file,
                  "The file of the operators' tokens, one a line, which `billd tokens create` writes; others must not "
                  "be able to read it. Where it is not set, whoever reaches the listener may look and act. A relative "
                  "path is taken from systemd's credentials directory, if there is one."),
    BILLD_SETTING(operators.host,
                  "The host name by which browsers reach the operators' listener, such as behind a proxy. Without "
                  "tokens, others than this one, addresses and localhost are refused: a web page elsewhere could lead "
                  "a browser here under its own name."),
    BILLD_TLS_SETTINGS(operators.tls),

    BILLD_SETTING(http.header_bytes_max,
                  "Largest head of a request: request line and header fields together. A larger one is answered 431.",
                  "bytes", 1'024, 65'536),
    BILLD_SETTING(http.header_fields_max, "Most header fields of a request. More are answered 431.", "fields", 10,
                  1'000),
    BILLD_SETTING(http.target_bytes_max,
                  "Longest request target, that is path and query. A longer one is answered 414.", "bytes", 256,
                  65'536),
    BILLD_SETTING(http.body_bytes_max, "Largest body of a request. A larger one is answered 413.", "bytes", 1'024,
                  67'108'864),
    BILLD_SETTING(http.header_timeout, "Time for the whole head of a request, from its first byte on.", "", 100,
                  in(minutes(10))),
    BILLD_SETTING(http.body_timeout, "Time for the whole body of a request, from the end of its head on.", "", 100,
                  in(minutes(10))),
    BILLD_SETTING(http.idle_timeout, "How long a connection may stay open between requests.", "", 100, in(hours(1))),
    BILLD_SETTING(http.write_timeout, "Time for the peer to take a whole response.", "", 100, in(minutes(10))),
    BILLD_SETTING(http.body_rate_min, "Slowest body that is waited for; 0 waits for any until body_timeout.",
                  "bytes per second", 0, 1'000'000),
    BILLD_SETTING(http.connections_max, "Most connections open at once on one listener.", "connections", 1, 100'000),
    BILLD_SETTING(http.connections_per_peer_max,
                  "Most connections open at once from one address. Behind a proxy, all come from the proxy's.",
                  "connections", 1, 100'000),
    BILLD_SETTING(http.requests_per_connection_max, "Requests after which a connection is closed in order.", "requests",
                  1, 1'000'000'000),
    BILLD_SETTING(http.drain_timeout, "How long a stopping daemon waits for requests that are being carried out.", "",
                  0, in(minutes(10))),
    BILLD_SETTING(http.drain_grace,
                  "How long a stopping daemon still takes a request on connections that wait for one, within "
                  "drain_timeout.",
                  "", 0, in(seconds(10))),

    BILLD_SETTING(redis.address,
                  "Where the data is kept: \"embedded\" for a Redis that billd starts itself in its state directory, "
                  "\"unix:/path/to/socket\", or \"host:port\"."),
    BILLD_SETTING(redis.username, "The Redis user; empty for Redis' default user."),
    BILLD_SETTING(redis.password_file,
                  "The file whose first line is the Redis password; others must not be able to read it. A "
                  "relative path is taken from systemd's credentials directory, if there is one."),
    BILLD_SETTING(redis.password, "The Redis password itself; a password_file keeps it out of sight better."),
    BILLD_SETTING(redis.database, "The number of the Redis database; a Redis Cluster has only 0.", "", 0, 65'535),
    BILLD_SETTING(redis.connect_timeout, "Time to connect.", "", 10, in(minutes(1))),
    BILLD_SETTING(redis.reply_timeout, "Time for a reply; after it the outcome of a commit is unknown.", "", 10,
                  in(minutes(1))),
    BILLD_SETTING(redis.commands_in_flight_max, "Most commands without a reply yet on one connection.", "commands", 1,
                  65'536),
    BILLD_SETTING(redis.wait_replicas, "Replicas that must have a commit before money moves on the strength of it.",
                  "replicas", 0, 16),
    BILLD_SETTING(redis.wait_timeout, "How long to wait for these replicas.", "", 1, in(minutes(1))),
    BILLD_SETTING(redis.allow_unsafe_durability,
                  "Run on a Redis that may lose what it has acknowledged. For tests, never for money."),

    BILLD_SETTING(jobs.in_flight_max, "Most jobs that a daemon carries out at once.", "jobs", 1, 100'000),
    BILLD_SETTING(jobs.batch_max, "Most due jobs read, and most accounts committed, in one call to Redis.", "jobs", 1,
                  10'000),
    BILLD_SETTING(jobs.poll_interval, "How often due jobs are looked for when no timer calls.", "", 10, in(minutes(1))),
    BILLD_SETTING(jobs.lease_interval,
                  "How often a daemon shows that it is alive; at most a third of lease_timeout, so that one lost sign "
                  "costs nothing.",
                  "", 10, in(minutes(1))),
    BILLD_SETTING(jobs.lease_timeout, "After how long without such a sign others take its partitions over.", "", 100,
                  in(minutes(5))),
    BILLD_SETTING(jobs.attempts_on_conflict_max,
                  "How often a job is decided anew because another writer changed its account.", "attempts", 1, 1'000),
    BILLD_SETTING(jobs.park_after_failures, "After how many failures in a row an account is parked for an operator.",
                  "failures", 1, 1'000),

    BILLD_SETTING(billing.invoice_finalize_delay, "How long a renewal's invoice stays a draft, open to changes.", "", 0,
                  in(days(30))),
    BILLD_SETTING(billing.invoice_notice_wait_max,
                  "How long after it was drawn up a draft waits at most for its invoice.created to be delivered to the "
                  "webhook endpoints that want it; 0s: it waits for none. Where drafts have no delay of their own, "
                  "nothing is waited for.",
                  "", 0, in(days(30))),
    BILLD_SETTING(billing.retry_schedule,
                  "The waits before each further attempt to collect an invoice, counted from the attempt before; [] "
                  "for no further attempt.",
                  "", in(minutes(1)), in(days(60))),
    BILLD_SETTING(billing.final_action, "What becomes of the subscription when the last attempt has failed."),
    BILLD_SETTING(billing.overdue_final_after,
                  "How long after its due date an invoice that was sent may stay unpaid until that happens.", "",
                  in(seconds(1)), in(days(365))),
    BILLD_SETTING(billing.upcoming_notice,
                  "How long before a renewal its invoice is announced with the event invoice.upcoming; 0s for not at "
                  "all.",
                  "", 0, in(days(60))),
    BILLD_SETTING(billing.tax_rounding,
                  "Where a tax is rounded to whole minor units: each line's by itself, or each rate once for the "
                  "invoice."),
    BILLD_SETTING(billing.incomplete_expires_after,
                  "How long a subscription waits for its first payment before it expires.", "", in(minutes(1)),
                  in(days(30))),
    BILLD_SETTING(billing.event_retention, "How long events can be listed.", "", in(days(1)), in(days(3'650))),
    BILLD_SETTING(billing.idempotency_retention, "How long the answer to an idempotency key is kept and repeated.", "",
                  in(hours(1)), in(days(90))),
    BILLD_SETTING(billing.charge_resolve_after,
                  "After how long a charge of unknown outcome is looked up at its gateway.", "", in(seconds(1)),
                  in(days(1))),
    BILLD_SETTING(billing.charge_resolve_max,
                  "The longest wait until it is looked up again: while its gateway stays silent each wait is as long "
                  "as all before it together, up to this.",
                  "", in(seconds(1)), in(days(1))),
    BILLD_SETTING(billing.charge_key_life,
                  "How long a charge of unknown outcome may be sent again under its idempotency key; after that it is "
                  "only looked up. Must be less than the gateway keeps its keys (Stripe: 24 hours).",
                  "", in(minutes(1)), in(days(30))),
    BILLD_SETTING(billing.charge_pending_poll_after,
                  "After how long a charge that is pending, such as a bank debit, is looked up at its gateway first. A "
                  "webhook may bring the outcome before.",
                  "", in(seconds(1)), in(days(1))),
    BILLD_SETTING(billing.charge_pending_poll_max,
                  "The longest wait until it is looked up again; up to this, each wait is as long as all before it "
                  "together.",
                  "", in(seconds(1)), in(days(7))),
    BILLD_SETTING(billing.charge_pending_limit, "After how long a pending charge is left to an operator.", "",
                  in(days(1)), in(days(90))),
    BILLD_SETTING(
        billing.renewal_grace,
        "How long a subscription whose renewal a webhook triggers waits for it after its period's end, before "
        "it lapses.",
        "", 0, in(days(90))),

    BILLD_SETTING(
        gateways.new_sources,
        "The gateway that takes and charges the tokens of new payment sources, by its name: \"test\" is built "
        "in, others have a section below."),

    BILLD_SETTING(gateways.test.latency, "How long the built-in test gateway takes for each answer.", "", 0,
                  in(minutes(1))),
    BILLD_SETTING(gateways.test.debit_settles_after, "How long a debit of a test bank account is pending.", "", 0,
                  in(days(30))),
    BILLD_SETTING(gateways.test.faults,
                  "For tests of what a processor may do: each charge that the built-in test gateway is sent meets the "
                  "next of these faults, in turn and from the beginning again. Where money moves, it moves once; its "
                  "ledger tells the truth."),

    BILLD_SETTING(
        webhooks.secret_file,
        "The file whose first line the secrets of webhook endpoints are derived from; others must not be able "
        "to read it, and all daemons of one Redis need the same. Where it is not set, it is webhook_secret in "
        "the state directory, made when it is not there."),
    BILLD_SETTING(webhooks.endpoints_max, "Most webhook endpoints of one mode.", "endpoints", 1, 1'000),
    BILLD_SETTING(
        webhooks.retry_waits,
        "The waits before each further try of a delivery, counted from the try before; [] for no further try.", "",
        in(seconds(1)), in(days(7))),
    BILLD_SETTING(webhooks.retry_jitter, "By how much a wait may be longer, by chance.", "percent", 0, 100),
    BILLD_SETTING(webhooks.recheck_after,
                  "While other deliveries to an endpoint succeed, one that failed is tried again after this time, too, "
                  "which counts for nothing in the schedule.",
                  "", in(seconds(1)), in(days(1))),
    BILLD_SETTING(webhooks.timeout, "Time for an endpoint to answer.", "", 100, in(minutes(1))),
    BILLD_SETTING(webhooks.disable_after, "How long nothing must have succeeded until an endpoint is disabled.", "",
                  in(hours(1)), in(days(30))),
    BILLD_SETTING(webhooks.requests_at_once_max, "Most requests to one endpoint at once, from one daemon.", "requests",
                  1, 1'000),
    BILLD_SETTING(
        webhooks.waiting_customers_max,
        "Most customers, for each endpoint and partition, whose deliveries wait for a retry before nothing new "
        "is begun with.",
        "customers", 1, 10'000),
    BILLD_SETTING(webhooks.given_up_max,
                  "Most deliveries that were given up and are remembered, for each partition and mode.", "deliveries",
                  1, 100'000),
    BILLD_SETTING(
        webhooks.allowed_networks,
        "Addresses that are not public and may be sent to all the same, such as [\"10.1.0.0/16\"]. With --dev "
        "loopback addresses are allowed anyway."),
};

#undef BILLD_FACE_SETTINGS
#undef BILLD_TLS_SETTINGS
#undef BILLD_SETTING

/// What a running daemon takes over; a section that ends with a dot stands for all that is in it.
constexpr auto reloadable = std::to_array<std::string_view>({
    "log.",
    "operators.tokens_file",
    "operators.host",
    "http.",
    "billing.invoice_finalize_delay",
    "billing.invoice_notice_wait_max",
    "billing.retry_schedule",
    "billing.final_action",
    "billing.overdue_final_after",
    "billing.upcoming_notice",
    "billing.tax_rounding",
    "billing.incomplete_expires_after",
    "billing.charge_resolve_after",
    "billing.charge_resolve_max",
    "billing.charge_key_life",
    "billing.charge_pending_poll_after",
    "billing.charge_pending_poll_max",
    "billing.charge_pending_limit",
    "billing.renewal_grace",
});

std::string in_quotes(std::string_view text) {
  constexpr std::string_view hexadecimal_digits = "0123456789ABCDEF";
  std::string written = "\"";
  for (char c : text) {
    auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      written += '\\';
      written += c;
    } else if (code < 0x20 || code == 0x7F) {
      written += "\\u00";
      written += hexadecimal_digits[code >> 4];
      written += hexadecimal_digits[code & 15];
    } else {
      written += c;
    }
  }
  return written + '"';
}

std::string written(bool value) { return value ? "true" : "false"; }
std::string written(std::uint32_t value) { return std::to_string(value); }
std::string written(const std::string& value) { return in_quotes(value); }
std::string written(const Secret& value) { return value.empty() ? "\"\"" : "\"********\""; }
std::string written(milliseconds value) { return in_quotes(to_text(value)); }
std::string written(const ListenAddress& value) { return in_quotes(to_text(value)); }
std::string written(const std::optional<ListenAddress>& value) { return in_quotes(value ? to_text(*value) : ""); }
std::string written(const RedisAddress& value) { return in_quotes(to_text(value)); }
template <class Choice>
  requires(!choices<Choice>.empty())
std::string written(Choice value) {
  return in_quotes(name_of(value));
}

std::string written(const std::vector<milliseconds>& values) {
  std::string list;
  for (milliseconds value : values) list += (list.empty() ? "" : ", ") + written(value);
  return "[" + list + "]";
}

std::string written(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + in_quotes(value);
  return "[" + list + "]";
}

std::string written(const std::vector<TestFault>& values) {
  std::string list;
  for (TestFault value : values) list += (list.empty() ? "" : ", ") + in_quotes(name_of(value));
  return "[" + list + "]";
}

template <class Choice>
std::string any_of() {
  constexpr auto& all = choices<Choice>;
  std::string names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) names += i + 1 == all.size() ? " or " : ", ";
    names += in_quotes(name_of(all[i]));
  }
  return names;
}

template <class Holder>
std::string duration_range(const SettingOf<Holder>& setting) {
  return to_text(milliseconds(setting.least)) + " to " + to_text(milliseconds(setting.greatest));
}

template <class Holder>
struct RangeText {
  const SettingOf<Holder>& setting;

  std::string operator()(MemberOf<Holder, std::uint32_t>) const {
    std::string unit = setting.unit.empty() ? "" : " " + std::string(setting.unit);
    return std::to_string(setting.least) + " to " + std::to_string(setting.greatest) + unit;
  }
  std::string operator()(MemberOf<Holder, milliseconds>) const { return duration_range(setting); }
  std::string operator()(MemberOf<Holder, std::vector<milliseconds>>) const {
    return "at most " + std::to_string(durations_max) + ", each " + duration_range(setting);
  }
  std::string operator()(MemberOf<Holder, std::vector<TestFault>>) const { return "each " + any_of<TestFault>(); }
  template <class T>
  std::string operator()(MemberOf<Holder, T>) const {
    if constexpr (choices<T>.empty())
      return "";
    else
      return any_of<T>();
  }
};

}  // namespace

std::span<const Setting> setting_table() { return settings_in_order; }

std::string_view section_of(const Setting& setting) {
  auto dot = setting.path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : setting.path.substr(0, dot);
}

std::string_view key_of(const Setting& setting) {
  auto dot = setting.path.rfind('.');
  return dot == std::string_view::npos ? setting.path : setting.path.substr(dot + 1);
}

std::string environment_name(const Setting& setting) {
  std::string name = "BILLD_";
  for (char c : setting.path) name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

template <class Holder>
std::string value_text(const SettingOf<Holder>& setting, Holder settings) {
  return std::visit([&](auto member) { return written(member(settings)); }, setting.member);
}

bool is_reloadable(const Setting& setting) {
  auto names = [&](std::string_view entry) {
    return entry.ends_with('.') ? setting.path.starts_with(entry) : setting.path == entry;
  };
  const bool is_of_listener = setting.path.ends_with(".certificate_file") || setting.path.ends_with(".key_file") ||
                              setting.path.ends_with(".hosts") || setting.path.ends_with(".path_prefix");
  return is_of_listener || std::ranges::any_of(reloadable, names);
}

template <class Holder>
std::string range_text(const SettingOf<Holder>& setting) {
  return std::visit(RangeText<Holder>{setting}, setting.member);
}

template std::string value_text(const SettingOf<Settings>&, Settings);
template std::string value_text(const SettingOf<ProcessorSettings>&, ProcessorSettings);
template std::string value_text(const SettingOf<WebhookSourceSettings>&, WebhookSourceSettings);
template std::string range_text(const SettingOf<Settings>&);
template std::string range_text(const SettingOf<ProcessorSettings>&);
template std::string range_text(const SettingOf<WebhookSourceSettings>&);

}  // namespace billd
