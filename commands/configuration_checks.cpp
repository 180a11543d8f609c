#include "commands/configuration_checks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "commands/service.hpp"
#include "config/secret_files.hpp"
#include "net/http/certificate.hpp"

namespace billd::commands {
namespace {

using redis::Finding;
using redis::Severity;

constexpr std::chrono::days certificate_days_to_warn(14);

void fine(Findings& findings, std::string setting, std::string value) {
  findings.push_back({Severity::fine, std::move(setting), std::move(value), {}, {}});
}

/// A section that makes a listener with TLS or without.
struct ListenerSection {
  std::string name;  ///< "api", "faces.stripe"
  ListenAddress address;
  const TlsSettings* tls = nullptr;
  std::vector<std::string> hosts;  ///< by which it is reached, as far as that is known
};

std::vector<ListenerSection> listeners_of(const Settings& settings) {
  std::vector<ListenerSection> all = {{"api", settings.api.listen, &settings.api.tls, {}},
                                      {"operators", settings.operators.listen, &settings.operators.tls, {}}};
  if (!settings.operators.host.empty()) all.back().hosts.push_back(settings.operators.host);
  const std::pair<const char*, const FaceSettings*> faces[] = {
      {"faces.stripe", &settings.faces.stripe},
      {"faces.stancer", &settings.faces.stancer},
      {"faces.management", &settings.faces.management},
      {"faces.funding_sources", &settings.faces.funding_sources},
  };
  for (const auto& [name, face] : faces)
    if (face->listen) all.push_back({name, *face->listen, &face->tls, face->hosts});
  return all;
}

bool is_to_loopback(std::string_view url) {
  const std::string_view host = url.substr(std::min(url.find("://") + 3, url.size()));
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

void check_processor(const Settings& settings, const std::string& name, Findings& findings) {
  const ProcessorSettings& processor = settings.gateways.processors.at(name);
  const std::string section = "gateways." + name, mode(name_of(processor.mode));
  const bool is_live = processor.mode == Mode::live;
  if (processor.kind == ProcessorKind::http)
    fine(findings, section + ".mode",
         mode + "; whether its key is for that, only who serves " + processor.url + " knows");
  else
    fine(findings, section + ".key_file",
         "a " + mode + " key of " + std::string(name_of(processor.kind)) + "'s, as gateways." + name + ".mode says");
  if (is_live && settings.development)
    findings.push_back({Severity::refuse, section + ".mode", "live while `development` is on",
                        "test, as in development any test key is let in",
                        "set `development = false`, or take the live gateway out"});
  if (is_live && processor.url.starts_with("http://") && !is_to_loopback(processor.url))
    findings.push_back({Severity::refuse, section + ".url", processor.url,
                        "one that begins with https://, or its key travels in clear",
                        "set `" + section + ".url` to the https:// address, or put a TLS proxy on the loopback"});
  if (is_live && processor.kind != ProcessorKind::http && !processor.url.empty() && !is_to_loopback(processor.url))
    findings.push_back({Severity::warn, section + ".url", processor.url,
                        "empty for the processor's own address, as this one gets the live key",
                        "take `" + section + ".url` out unless that proxy is yours"});
  for (const auto& [other_name, other] : settings.gateways.processors)
    if (other_name < name && other.key == processor.key && other.mode != processor.mode)
      findings.push_back(
          {Severity::refuse, section + ".key_file",
           "the same key as gateways." + other_name + ", whose mode is " + std::string(name_of(other.mode)),
           "a key of its own, for test and live must not meet", "put the " + mode + " key into " + processor.key_file});
}

void check_new_sources(const Settings& settings, Findings& findings) {
  const std::string& name = settings.gateways.new_sources;
  const auto& processors = settings.gateways.processors;
  const auto chosen = processors.find(name);
  const bool has_live =
      std::ranges::any_of(processors, [](const auto& each) { return each.second.mode == Mode::live; });
  const bool is_live = chosen != processors.end() && chosen->second.mode == Mode::live;
  if (!has_live || is_live) return fine(findings, "gateways.new_sources", name);
  const auto live = std::ranges::find_if(processors, [](const auto& each) { return each.second.mode == Mode::live; });
  findings.push_back({Severity::warn, "gateways.new_sources", name + ", which is no live gateway",
                      "a live one such as " + live->first + ", or new cards of live customers do not get there",
                      "set `gateways.new_sources = \"" + live->first + "\"`"});
}

void check_webhook_source(const Settings& settings, const std::string& name, Findings& findings) {
  const WebhookSourceSettings& source = settings.webhook_sources.at(name);
  const std::string section = "webhook_sources." + name, mode(name_of(source.mode));
  const std::string gateway = source.gateway.empty() ? name : source.gateway;
  const auto processor = settings.gateways.processors.find(gateway);
  if (processor == settings.gateways.processors.end()) return fine(findings, section + ".mode", mode);
  const std::string of_gateway(name_of(processor->second.mode));
  if (mode == of_gateway) return fine(findings, section + ".mode", mode + ", like the gateway " + gateway);
  findings.push_back({Severity::refuse, section + ".mode", mode,
                      of_gateway + ", like the gateway " + gateway + " that it speaks for",
                      "set `" + section + ".mode = \"" + of_gateway + "\"`, and use the secret of that mode"});
}

std::string mode_text(mode_t mode) {
  constexpr char digits[] = "01234567";
  return {'0', digits[(mode >> 6) & 7], digits[(mode >> 3) & 7], digits[mode & 7]};
}

/// Whom the daemon runs as: the owner of its state directory, once it has one.
struct User {
  uid_t user = 0;
  gid_t group = 0;
};

bool may_read(const User& user, const struct stat& status) {
  if (user.user == 0) return true;
  if (status.st_uid == user.user) return (status.st_mode & S_IRUSR) != 0;
  if (status.st_gid == user.group) return (status.st_mode & S_IRGRP) != 0;
  return (status.st_mode & S_IROTH) != 0;
}

void check_file(const SecretFile& file, bool is_open_allowed, const std::optional<User>& daemon, Findings& findings) {
  struct stat status{};
  const std::string path = file.path.string();
  if (stat(path.c_str(), &status) != 0) return;  // whoever reads it says what is wrong
  const std::string mode = mode_text(status.st_mode);
  const mode_t wrong = is_open_allowed ? S_IWOTH : S_IRWXO;
  if ((status.st_mode & wrong) != 0)
    findings.push_back(
        {Severity::refuse, file.setting, path + ", mode " + mode,
         is_open_allowed ? "not to be written by others" : "out of reach for others, as it holds a secret",
         "chmod o= " + path + ", and exchange the secret if others may have read it"});
  else if (daemon && !may_read(*daemon, status))
    findings.push_back({Severity::refuse, file.setting, path + ", mode " + mode,
                        "readable for the daemon's user, who owns the state directory",
                        "chgrp billd " + path + " && chmod g+r " + path +
                            "; or let systemd hand it over with LoadCredential= in the unit"});
  else
    fine(findings, file.setting, path + ", mode " + mode);
}

void check_state_directory(const Settings& settings, Findings& findings) {
  struct stat status{};
  const std::string& path = settings.state_directory;
  if (stat(path.c_str(), &status) != 0)
    return fine(findings, "state_directory", path + ", to be made at the first start");
  if (!S_ISDIR(status.st_mode)) {
    findings.push_back({Severity::refuse, "state_directory", path + ", which is no directory", "a directory",
                        "name another one, or move that file away"});
  } else if ((status.st_mode & S_IRWXO) != 0) {
    findings.push_back({Severity::refuse, "state_directory", path + ", mode " + mode_text(status.st_mode),
                        "out of reach for others, as all data and a secret are in it", "chmod o= " + path});
  } else {
    fine(findings, "state_directory", path + ", mode " + mode_text(status.st_mode));
  }
}

/// "2026-11-26".
std::string date_of(std::chrono::sys_seconds time) { return to_text(Timestamp(time)).substr(0, 10); }

std::string days_text(std::chrono::days days) {
  return std::to_string(days.count()) + (days.count() == 1 ? " day" : " days");
}

void check_dates(const std::string& setting, const std::string& path, const http::CertificateDates& dates,
                 std::chrono::sys_seconds now, Findings& findings) {
  const std::string renewal = "get a new one, put it there, and: systemctl reload billd";
  const auto left = std::chrono::floor<std::chrono::days>(dates.not_after - now);
  if (now < dates.not_before)
    findings.push_back({Severity::refuse, setting, path + ", valid from " + date_of(dates.not_before) + " on",
                        "valid today, " + date_of(now), "see whether this machine's clock is right; else " + renewal});
  else if (now >= dates.not_after)
    findings.push_back({Severity::refuse, setting, path + ", expired on " + date_of(dates.not_after),
                        "valid today, " + date_of(now), renewal});
  else if (left < certificate_days_to_warn)
    findings.push_back({Severity::warn, setting, path + ", which expires in " + days_text(left),
                        "valid for " + days_text(certificate_days_to_warn) + " at least", renewal});
  else
    fine(findings, setting, path + ", valid until " + date_of(dates.not_after));
}

void check_certificate(const ListenerSection& section, std::chrono::sys_seconds now, Findings& findings) {
  const std::string setting = section.name + ".tls.certificate_file";
  const TlsSettings& tls = *section.tls;
  auto certificate = http::read_certificate(tls.certificate_file, tls.key_file);
  if (!certificate) {
    findings.push_back({Severity::refuse, setting, tls.certificate_file, "a certificate that fits its key",
                        certificate.error().detail});
    return;
  }
  check_dates(setting, tls.certificate_file, certificate->dates, now, findings);
  for (const std::string& host : section.hosts)
    if (!certificate->is_for(host))
      findings.push_back({Severity::warn, setting, tls.certificate_file + ", which is not for " + host,
                          "one for the name by which clients come",
                          "get one whose names (subjectAltName) include " + host});
}

/// Ports below this one are for those with CAP_NET_BIND_SERVICE, which the unit does not have.
std::uint16_t first_free_port() {
  std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  std::uint16_t port = 1024;
  file >> port;
  return port;
}

void check_address(const ListenerSection& section, bool is_running, Findings& findings) {
  const std::string setting = section.name + ".listen", address = to_text(section.address);
  const std::string port = std::to_string(section.address.port);
  switch (try_to_listen(section.address)) {
    case 0:
      break;
    case EADDRINUSE:
      if (is_running) return fine(findings, setting, address + ", where the running daemon listens");
      findings.push_back({Severity::warn, setting, address + ", where somebody listens",
                          "free, or a socket that systemd keeps for billd",
                          "ss -ltnp 'sport = :" + port +
                              "' shows who it is; unless it is systemd (billd.socket), end "
                              "that program or give billd another port"});
      return;
    case EADDRNOTAVAIL:
      findings.push_back({Severity::refuse, setting, address + ", which this machine does not have",
                          "one of its own addresses", "ip address shows them; 0.0.0.0 or [::] stands for all"});
      return;
    case EACCES:
      break;
    default:
      findings.push_back({Severity::refuse, setting, address + ", on which the system does not let listen",
                          "an address to listen on", "give another one"});
      return;
  }
  if (section.address.port != 0 && section.address.port < first_free_port())
    findings.push_back({Severity::warn, setting, address, "a port that needs no privilege, as the unit has none",
                        "let systemd listen there: systemctl edit --full billd.socket, ListenStream=" + port +
                            ", then systemctl enable --now billd.socket"});
  else
    fine(findings, setting, address);
}

}  // namespace

Findings check_gateways(const Settings& settings) {
  Findings findings;
  for (const auto& each : settings.gateways.processors) check_processor(settings, each.first, findings);
  check_new_sources(settings, findings);
  for (const auto& each : settings.webhook_sources) check_webhook_source(settings, each.first, findings);
  return findings;
}

Findings check_files(const Settings& settings, const std::optional<std::string>& file, const Environment& environment) {
  Findings findings;
  std::optional<User> daemon;
  struct stat status{};
  if (stat(settings.state_directory.c_str(), &status) == 0) daemon = User{status.st_uid, status.st_gid};
  // The configuration is no secret unless a password stands in it.
  const bool has_secret = !settings.redis.password.empty() && settings.redis.password_file.empty();
  if (file) check_file({"the configuration", *file}, !has_secret, daemon, findings);
  for (const SecretFile& each : secret_files(settings, environment)) check_file(each, false, daemon, findings);
  for (const ListenerSection& section : listeners_of(settings))
    if (section.tls->is_on())
      check_file({section.name + ".tls.key_file", section.tls->key_file}, false, daemon, findings);
  check_state_directory(settings, findings);
  if (settings.webhooks.secret_file.empty())
    check_file({"the secret of webhooks", settings.state_directory + "/webhook_secret"}, false, daemon, findings);
  return findings;
}

Findings check_certificates(const Settings& settings, std::chrono::sys_seconds now) {
  Findings findings;
  for (const ListenerSection& section : listeners_of(settings))
    if (section.tls->is_on()) check_certificate(section, now, findings);
  return findings;
}

Findings check_listeners(const Settings& settings, bool is_running) {
  Findings findings;
  for (const ListenerSection& section : listeners_of(settings)) check_address(section, is_running, findings);
  return findings;
}

}  // namespace billd::commands
