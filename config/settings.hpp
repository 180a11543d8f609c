// All that can be set in billd: the settings with their defaults, and where they are read from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/operator_tokens.hpp"
#include "config/values.hpp"
#include "engine/result.hpp"
#include "engine/rules.hpp"

namespace billd {

struct DaemonSettings {
  /// The identity by which a restarted daemon takes its partitions back; unique among the daemons of one Redis.
  /// load_settings() derives it from the host's name and the API's port when it is not set.
  std::string name;

  bool operator==(const DaemonSettings&) const = default;
};

struct LogSettings {
  /// The least severe level that is logged.
  LogLevel level = LogLevel::info;
  /// How the log is written.
  LogFormat format = LogFormat::automatic;

  bool operator==(const LogSettings&) const = default;
};

/// What a listener shows of itself in TLS; without a certificate it speaks plain HTTP. The files are read at the start
/// and again with every reload.
struct TlsSettings {
  /// The certificate and those between it and an authority, as PEM.
  std::string certificate_file;
  /// The certificate's private key, as PEM.
  std::string key_file;

  bool is_on() const { return !certificate_file.empty(); }
  bool operator==(const TlsSettings&) const = default;
};

struct ApiSettings {
  /// Where programs reach the APIs.
  ListenAddress listen = {"127.0.0.1", 4242};
  TlsSettings tls;

  /// How long a token, a SetupIntent, or a payment method that is nobody's can be used, 1m to 90d.
  std::chrono::milliseconds token_life = std::chrono::hours(24);
  /// Customers from another system of whom it is remembered what that calls their objects, 100 to 10000000; up to twice
  /// as many, about 1 kB each.
  std::uint32_t aliased_customers_remembered = 10'000;
  /// Identifiers of another system of which it is remembered whose they are, 100 to 10000000; up to twice as many,
  /// about 200 bytes each.
  std::uint32_t aliases_remembered = 20'000;

  bool operator==(const ApiSettings&) const = default;
};

/// The wire formats in which programs talk to billd.
enum class FaceName : std::uint8_t { stripe, stancer, management, funding_sources };
inline constexpr std::size_t face_count = 4;

/// How requests are told to be for one API alone.
struct FaceSettings {
  /// A listener for this API alone; empty: none.
  std::optional<ListenAddress> listen;
  TlsSettings tls;
  /// Names in Host which mean this API, without port.
  std::vector<std::string> hosts;
  /// What a path begins with which means this API; it is cut off. Empty: nothing.
  std::string path_prefix;

  bool operator==(const FaceSettings&) const = default;
};

struct FacesSettings {
  FaceSettings stripe, stancer, management, funding_sources;

  const FaceSettings& of(FaceName face) const;
  bool operator==(const FacesSettings&) const = default;
};

struct OperatorSettings {
  /// Where operators reach the status page, the metrics and the actions.
  ListenAddress listen = {"127.0.0.1", 4243};
  /// The file of the operators' tokens; without one, whoever reaches the listener may look and act.
  std::string tokens_file;
  /// The host name by which browsers reach the listener through a proxy; empty: by an address or localhost alone.
  std::string host;
  /// load_settings() fills them in from tokens_file.
  std::vector<OperatorToken> tokens = {};
  TlsSettings tls;

  bool operator==(const OperatorSettings&) const = default;
};

struct HttpSettings {
  /// Largest head of a request: request line and header fields together, in bytes, 1024 to 65536.
  std::uint32_t header_bytes_max = 16'384;
  /// Most header fields of a request, 10 to 1000.
  std::uint32_t header_fields_max = 100;
  /// Longest request target (path and query), in bytes, 256 to 65536.
  std::uint32_t target_bytes_max = 8'192;
  /// Largest body of a request, in bytes, 1024 to 67108864.
  std::uint32_t body_bytes_max = 1'048'576;
  /// Time for the whole head of a request, from its first byte on, 100ms to 10m.
  std::chrono::milliseconds header_timeout = std::chrono::seconds(10);
  /// Time for the whole body of a request, from the end of its head on, 100ms to 10m.
  std::chrono::milliseconds body_timeout = std::chrono::seconds(30);
  /// How long a connection may stay open between requests, 100ms to 1h.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  /// Time for the peer to take a whole response, 100ms to 10m.
  std::chrono::milliseconds write_timeout = std::chrono::seconds(30);
  /// Slowest body that is waited for, in bytes per second, 0 (any) to 1000000.
  std::uint32_t body_rate_min = 500;
  /// Most connections open at once on one listener, 1 to 100000.
  std::uint32_t connections_max = 1'000;
  /// Most connections open at once from one address, 1 to 100000.
  std::uint32_t connections_per_peer_max = 32;
  /// Requests after which a connection is closed in order, 1 to 1000000000.
  std::uint32_t requests_per_connection_max = 10'000;
  /// How long a stopping daemon waits for requests that are being carried out, 0s to 10m.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(20);
  /// How long a stopping daemon still takes a request on connections that wait for one, 0s to 10s.
  std::chrono::milliseconds drain_grace = std::chrono::milliseconds(500);

  bool operator==(const HttpSettings&) const = default;
};

struct RedisSettings {
  /// Where the data is kept.
  RedisAddress address = {};
  /// The Redis user; empty for Redis' default user.
  std::string username;
  /// The file whose first line is the password; empty when Redis asks for none.
  std::string password_file;
  /// The password: load_settings() fills it in from password_file.
  Secret password;
  /// The number of the Redis database, 0 to 65535; a Redis Cluster has only 0.
  std::uint32_t database = 0;
  /// Time to connect, 10ms to 1m.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(2);
  /// Time for a reply; after it the outcome of a commit is unknown. 10ms to 1m.
  std::chrono::milliseconds reply_timeout = std::chrono::seconds(5);
  /// Most commands without a reply yet on one connection, 1 to 65536.
  std::uint32_t commands_in_flight_max = 4'096;
  /// Replicas that must have a commit before money moves on the strength of it, 0 to 16.
  std::uint32_t wait_replicas = 0;
  /// How long to wait for these replicas, 1ms to 1m.
  std::chrono::milliseconds wait_timeout = std::chrono::milliseconds(500);
  /// Run on a Redis that may lose what it has acknowledged. For tests, never for money.
  bool allow_unsafe_durability = false;

  bool operator==(const RedisSettings&) const = default;
};

struct JobSettings {
  /// Most jobs that a daemon carries out at once, 1 to 100000.
  std::uint32_t in_flight_max = 512;
  /// Most due jobs read, and most accounts committed, in one call to Redis, 1 to 10000.
  std::uint32_t batch_max = 256;
  /// How often due jobs are looked for when no timer calls, 10ms to 1m.
  std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
  /// How often a daemon shows that it is alive, 10ms to 1m; at most a third of lease_timeout.
  std::chrono::milliseconds lease_interval = std::chrono::milliseconds(400);
  /// After how long without such a sign others take its partitions over, 100ms to 5m.
  std::chrono::milliseconds lease_timeout = std::chrono::milliseconds(1'500);
  /// How often a job is decided anew because another writer changed its account, 1 to 1000.
  std::uint32_t attempts_on_conflict_max = 10;
  /// After how many failures in a row an account is parked for an operator, 1 to 1000.
  std::uint32_t park_after_failures = 5;

  bool operator==(const JobSettings&) const = default;
};

struct BillingSettings {
  /// How long a renewal's invoice stays a draft, open to changes, 0s to 30d.
  std::chrono::milliseconds invoice_finalize_delay = std::chrono::hours(1);
  /// How long after it was drawn up a draft waits at most for its invoice.created to be delivered to the webhook
  /// endpoints that want it, 0 to 30d; 0: it waits for none. Where drafts have no delay of their own, nothing is waited
  /// for.
  std::chrono::milliseconds invoice_notice_wait_max = std::chrono::hours(72);
  /// The waits before each further attempt to collect, counted from the attempt before, each 1m to 60d; at most 10.
  std::vector<std::chrono::milliseconds> retry_schedule = {std::chrono::days(3), std::chrono::days(5),
                                                           std::chrono::days(7)};
  /// What becomes of the subscription when the last attempt has failed.
  FinalAction final_action = FinalAction::cancel;
  /// Where a tax is rounded to whole minor units: each line's by itself, or each rate once for the invoice.
  TaxRounding tax_rounding = TaxRounding::line;
  /// How long a subscription waits for its first payment before it expires, 1m to 30d.
  std::chrono::milliseconds incomplete_expires_after = std::chrono::hours(23);
  /// How long events can be listed, 1d to 3650d.
  std::chrono::milliseconds event_retention = std::chrono::days(30);
  /// How long the answer to an idempotency key is kept and repeated, 1h to 90d.
  std::chrono::milliseconds idempotency_retention = std::chrono::hours(24);
  /// After how long a charge of unknown outcome is looked up at its gateway, 1s to 1d.
  std::chrono::milliseconds charge_resolve_after = std::chrono::seconds(30);
  /// The longest wait until a charge of unknown outcome is looked up again, 1s to 1d.
  std::chrono::milliseconds charge_resolve_max = std::chrono::hours(1);
  /// How long a charge may be sent again under its idempotency key, 1m to 30d; less than gateways keep their keys.
  std::chrono::milliseconds charge_key_life = std::chrono::hours(12);
  /// After how long a pending charge is looked up at its gateway first, 1s to 1d.
  std::chrono::milliseconds charge_pending_poll_after = std::chrono::minutes(10);
  /// The longest wait until it is looked up again, 1s to 7d.
  std::chrono::milliseconds charge_pending_poll_max = std::chrono::hours(6);
  /// After how long a pending charge is left to an operator, 1d to 90d.
  std::chrono::milliseconds charge_pending_limit = std::chrono::days(30);
  /// How long a subscription that a webhook renews waits for it after its period's end, 0s to 90d.
  std::chrono::milliseconds renewal_grace = std::chrono::days(3);
  /// How long before a renewal its invoice is announced, 0s (never) to 60d.
  std::chrono::milliseconds upcoming_notice = std::chrono::milliseconds(0);
  /// How long after its due date a sent invoice may stay unpaid until the final action, 1s to 365d.
  std::chrono::milliseconds overdue_final_after = std::chrono::days(30);

  bool operator==(const BillingSettings&) const = default;
};

struct TestGatewaySettings {
  /// How long the built-in test gateway takes for each answer, 0s to 1m.
  std::chrono::milliseconds latency = std::chrono::milliseconds(0);
  /// How long a debit of a test bank account is pending, 0s to 30d.
  std::chrono::milliseconds debit_settles_after = std::chrono::days(4);
  /// What each charge that is sent meets, in turn and from the beginning again; for tests of what a processor may do.
  std::vector<TestFault> faults;

  bool operator==(const TestGatewaySettings&) const = default;
};

/// A payment processor: the section [gateways.NAME], where sources know it by its name.
struct ProcessorSettings {
  /// Whose API it speaks; must be set.
  ProcessorKind kind = ProcessorKind::unset;
  /// Whether it moves real money: must agree with its key, and only sources of this mode are charged through it.
  Mode mode = Mode::test;
  /// Where its API is; empty: where the processor's own is. Kind http has no other.
  std::string url;
  /// The file whose first line is the secret key; of kind http, what requests are signed with.
  std::string key_file;
  /// The key: load_settings() fills it in from key_file.
  Secret key;
  /// PEM file with the certificates that the processor's must come from; empty: the system's.
  std::string certificates_file;
  /// Time to connect, 10ms to 1m.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  /// Time for a whole request, the wait for its turn included, 100ms to 5m; less than billing.charge_resolve_after.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(20);
  /// Most requests that are begun in a second, 1 to 10000.
  std::uint32_t requests_per_second_max = 25;
  /// Most requests at once, 1 to 1000.
  std::uint32_t concurrency_max = 16;
  /// Most requests that wait for their turn, 0 to 10000. What comes beyond that is put off until
  /// billing.charge_resolve_after has passed, so that the jobs of one processor leave room for those of the others.
  std::uint32_t waiting_max = 64;
  /// After how many requests in a row without a usable answer it is left alone for a while, 1 to 1000.
  std::uint32_t breaker_failures = 10;
  /// How long it is left alone then, 100ms to 1h.
  std::chrono::milliseconds breaker_pause = std::chrono::seconds(30);

  bool operator==(const ProcessorSettings&) const = default;
};

struct GatewaySettings {
  /// The gateway that takes and charges the tokens of new payment sources, by its name.
  std::string new_sources = "test";
  TestGatewaySettings test;
  std::map<std::string, ProcessorSettings> processors;  ///< by name

  bool operator==(const GatewaySettings&) const = default;
};

/// Who sends webhooks to POST /webhooks/NAME: the section [webhook_sources.NAME].
struct WebhookSourceSettings {
  /// How its requests are signed; must be set.
  WebhookKind kind = WebhookKind::unset;
  /// Of which mode the customers are that it may speak of.
  Mode mode = Mode::test;
  /// The files whose first lines are the secrets, at least one; several while one is being exchanged.
  std::vector<std::string> secret_files;
  /// The secrets: load_settings() fills them in from secret_files.
  std::vector<Secret> secrets;
  /// The gateway that it speaks for; empty: the one of the same name.
  std::string gateway;
  /// The header that holds the signature; of kind hmac.
  std::string header = "X-Signature";
  /// How the signature is written; of kind hmac.
  HmacEncoding encoding = HmacEncoding::hex;

  bool operator==(const WebhookSourceSettings&) const = default;
};

/// Webhooks that go out.
struct WebhookSettings {
  /// What webhooks' secrets are derived from: load_settings() fills it in from secret_file, a daemon from a file of its
  /// own where that is not set.
  Secret secret;
  /// The file whose first line webhooks' secrets are derived from; empty: webhook_secret in the state directory, made
  /// when it is not there.
  std::string secret_file;
  /// Most webhook endpoints of one mode, 1 to 1000.
  std::uint32_t endpoints_max = 16;
  /// The waits before each further try of a delivery, counted from the try before, each 1s to 7d; at most 10.
  std::vector<std::chrono::milliseconds> retry_waits = {
      std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30),
      std::chrono::hours(2),   std::chrono::hours(5),   std::chrono::hours(10),
      std::chrono::hours(14),  std::chrono::hours(20),  std::chrono::hours(24)};
  /// By how much a wait may be longer, by chance, in percent of it, 0 to 100.
  std::uint32_t retry_jitter = 10;
  /// While other deliveries succeed, how long after a failure the next try may come at the latest, 1s to 1d.
  std::chrono::milliseconds recheck_after = std::chrono::minutes(10);
  /// Time for an endpoint to answer, 100ms to 1m.
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  /// How long nothing must have succeeded until an endpoint is disabled, 1h to 30d.
  std::chrono::milliseconds disable_after = std::chrono::days(5);
  /// Most requests to one endpoint at once, from one daemon, 1 to 1000.
  std::uint32_t requests_at_once_max = 8;
  /// Most customers, for each endpoint and partition, whose deliveries wait for a retry before nothing new is begun
  /// with, 1 to 10000.
  std::uint32_t waiting_customers_max = 100;
  /// Most deliveries given up that are remembered, for each partition and mode, 1 to 100000.
  std::uint32_t given_up_max = 1'000;
  /// Addresses that are not public and may be sent to, such as "10.1.0.0/16".
  std::vector<std::string> allowed_networks;

  bool operator==(const WebhookSettings&) const = default;
};

/// Everything that can be set, in the order of the sample configuration.
struct Settings {
  /// The directory of the embedded Redis' data and of billd's own files.
  std::string state_directory = "/var/lib/billd";
  /// Start for trying out: makes a test key if there is none, and says how to use it. Changes nothing about money.
  bool development = false;
  /// Over how many partitions the accounts are spread, 1 to 4096; fixed when the data set is created.
  std::uint32_t partitions = 16;

  DaemonSettings daemon;
  LogSettings log;
  ApiSettings api;
  FacesSettings faces;
  OperatorSettings operators;
  HttpSettings http;
  RedisSettings redis;
  JobSettings jobs;
  BillingSettings billing;
  GatewaySettings gateways;
  std::map<std::string, WebhookSourceSettings> webhook_sources;  ///< by name
  WebhookSettings webhooks;

  bool operator==(const Settings&) const = default;
};

/// Names and values of the process' environment.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

/// What the command line sets: paths such as "redis.address", and values written as in the environment.
using Overrides = std::map<std::string, std::string>;

/// Reads the settings. Later wins: defaults, the file (if one is given), variables such as BILLD_REDIS_ADDRESS, the
/// overrides. Every mistake is found and told at once, one a line, with its place: the failure's code is
/// bad_configuration, and its detail is ready to be printed.
Result<Settings> load_settings(const std::optional<std::filesystem::path>& file, const Environment& environment,
                               const Overrides& overrides);

/// The same from text; `name` stands for the file in messages.
Result<Settings> read_settings(std::string_view text, std::string_view name, const Environment& environment,
                               const Overrides& overrides);

/// What a reload makes of the settings in force.
struct Reload {
  /// What is in force from now on: the fresh value where a running daemon can take it over, the old one elsewhere.
  Settings settings;
  /// One line for each setting that was taken over: `log.level is "debug" now, was "info"`. Secrets are not shown.
  std::vector<std::string> changed;
  /// The same for each that takes a restart.
  std::vector<std::string> restart_wanted;
};
Reload reload_settings(const Settings& in_force, const Settings& fresh);

/// What the engine is to know of the settings.
Rules billing_rules(const BillingSettings& settings);

/// Where the embedded Redis listens: a Unix socket in the state directory.
std::string embedded_redis_socket(const Settings& settings);

/// The documented sample: every setting with its meaning, range and default, commented out. config/billd.toml is this.
std::string sample_configuration();

/// The settings as a configuration file that would make them; secrets are left out but for a comment that one is set.
std::string print_configuration(const Settings& settings);

}  // namespace billd
