// What `billd check-config` makes of keys, files, certificates and addresses.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "commands/configuration_checks.hpp"
#include "commands/service.hpp"

namespace billd::commands {
namespace {

using redis::Severity;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::sys_seconds today = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

class Configuration : public testing::Test {
 protected:
  Configuration() {
    std::string pattern = (std::filesystem::temp_directory_path() / "billd-check-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    settings.state_directory = folder / "state";
    settings.api.listen.port = settings.operators.listen.port = 0;
  }
  ~Configuration() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const std::filesystem::path file = folder / name;
    std::ofstream(file) << text;
    chmod(file.c_str(), mode);
    return file;
  }

  ProcessorSettings& gateway(const std::string& name, ProcessorKind kind, Mode mode, const std::string& key = "k") {
    ProcessorSettings& made = settings.gateways.processors[name];
    made.kind = kind;
    made.mode = mode;
    made.key = Secret(key);
    made.key_file = "/etc/billd/" + name;
    return made;
  }

  std::filesystem::path folder;
  Settings settings;
};

/// What is not fine.
Findings wrong(Findings findings) {
  std::erase_if(findings, [](const redis::Finding& finding) { return finding.severity == Severity::fine; });
  return findings;
}

testing::Matcher<const redis::Finding&> is(Severity severity, const std::string& setting, const std::string& text,
                                           const std::string& advice) {
  return AllOf(testing::Field(&redis::Finding::severity, severity), testing::Field(&redis::Finding::setting, setting),
               testing::ResultOf([](const redis::Finding& finding) { return finding.text(); }, HasSubstr(text)),
               testing::Field(&redis::Finding::advice, HasSubstr(advice)));
}

// Gateways.

TEST_F(Configuration, IsGoodWithGatewaysOfOneMode) {
  gateway("acme", ProcessorKind::stripe, Mode::live, "sk_live_1");
  gateway("bank", ProcessorKind::http, Mode::live, "x").url = "https://pay.example.com";
  settings.gateways.new_sources = "acme";
  settings.webhook_sources["acme"].mode = Mode::live;
  settings.webhook_sources["elsewhere"].mode = Mode::test;
  EXPECT_THAT(wrong(check_gateways(settings)), IsEmpty());
  EXPECT_THAT(check_gateways(settings),
              testing::Contains(is(Severity::fine, "gateways.acme.key_file", "a live key of stripe's", "")));
}

TEST_F(Configuration, SaysWhereTestAndLiveMeet) {
  settings.gateways.new_sources = "acme";
  ProcessorSettings& acme = gateway("acme", ProcessorKind::stripe, Mode::live, "sk_live_1");
  acme.url = "http://proxy.example.com";
  EXPECT_THAT(
      wrong(check_gateways(settings)),
      testing::UnorderedElementsAre(
          is(Severity::refuse, "gateways.acme.url", "travels in clear", "the https:// address"),
          is(Severity::warn, "gateways.acme.url", "this one gets the live key", "take `gateways.acme.url` out")));
  acme.url = "http://127.0.0.1:12111";
  EXPECT_THAT(wrong(check_gateways(settings)), IsEmpty()) << "a proxy of one's own";
  acme.url.clear();

  settings.development = true;
  EXPECT_THAT(wrong(check_gateways(settings)),
              testing::ElementsAre(is(Severity::refuse, "gateways.acme.mode", "live while `development` is on",
                                      "set `development = false`")));
  settings.development = false;

  settings.webhook_sources["acme"].mode = Mode::test;
  EXPECT_THAT(wrong(check_gateways(settings)),
              testing::ElementsAre(is(Severity::refuse, "webhook_sources.acme.mode", "is test, should be live",
                                      "set `webhook_sources.acme.mode = \"live\"`")));
  settings.webhook_sources.clear();

  gateway("one", ProcessorKind::http, Mode::live, "same").url = "https://one.example.com";
  gateway("two", ProcessorKind::http, Mode::test, "same").url = "https://two.example.com";
  EXPECT_THAT(wrong(check_gateways(settings)),
              testing::ElementsAre(is(Severity::refuse, "gateways.two.key_file", "the same key as gateways.one",
                                      "put the test key into /etc/billd/two")));
}

TEST_F(Configuration, SaysThatLiveCardsWouldGoToTheTestGateway) {
  gateway("acme", ProcessorKind::stripe, Mode::live, "sk_live_1");
  EXPECT_THAT(wrong(check_gateways(settings)),
              testing::ElementsAre(is(Severity::warn, "gateways.new_sources", "is test, which is no live gateway",
                                      "set `gateways.new_sources = \"acme\"`")));
}

TEST_F(Configuration, TellsNoKey) {
  gateway("acme", ProcessorKind::stripe, Mode::live, "sk_live_verysecret");
  gateway("bank", ProcessorKind::http, Mode::test, "sk_live_verysecret").url = "https://x.example.com";
  for (const redis::Finding& finding : check_gateways(settings))
    EXPECT_THAT(finding.text(), testing::Not(HasSubstr("verysecret")));
}

// Files.

TEST_F(Configuration, RefusesSecretsThatOthersMayRead) {
  std::filesystem::create_directory(settings.state_directory);
  chmod(settings.state_directory.c_str(), 0755);
  const std::string secret = write("state/webhook_secret", "secret", 0604);
  settings.api.tls = {write("certificate.pem", "", 0644), write("key.pem", "", 0644)};
  settings.redis.password_file = write("password", "x", 0640);
  EXPECT_THAT(wrong(check_files(settings, write("billd.toml", "", 0644), {})),
              testing::UnorderedElementsAre(
                  is(Severity::refuse, "state_directory", "mode 0755", "chmod o= " + settings.state_directory),
                  is(Severity::refuse, "the secret of webhooks", "mode 0604", "chmod o= " + secret),
                  is(Severity::refuse, "api.tls.key_file", "mode 0644", "chmod o= " + settings.api.tls.key_file)));
}

TEST_F(Configuration, IsASecretItselfWithAPasswordInIt) {
  const std::string file = write("billd.toml", "", 0644);
  EXPECT_THAT(wrong(check_files(settings, file, {})), IsEmpty());
  settings.redis.password = Secret("x");
  EXPECT_THAT(wrong(check_files(settings, file, {})),
              testing::ElementsAre(is(Severity::refuse, "the configuration", "mode 0644", "chmod o= " + file)));
  EXPECT_THAT(wrong(check_files(settings, write("billd.toml", "", 0646), {})), testing::SizeIs(1));
  settings.redis.password = Secret();
  EXPECT_THAT(wrong(check_files(settings, write("billd.toml", "", 0646), {})),
              testing::ElementsAre(is(Severity::refuse, "the configuration", "not to be written by others", "chmod")));
}

TEST_F(Configuration, SaysWhatTheDaemonsUserCannotRead) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  std::filesystem::create_directory(settings.state_directory);
  chmod(settings.state_directory.c_str(), 0700);
  ASSERT_EQ(chown(settings.state_directory.c_str(), 12'345, 12'346), 0);
  settings.redis.password_file = write("password", "x", 0640);
  EXPECT_THAT(wrong(check_files(settings, std::nullopt, {})),
              testing::ElementsAre(
                  is(Severity::refuse, "redis.password_file", "readable for the daemon's user", "LoadCredential=")));
  ASSERT_EQ(chown(settings.redis.password_file.c_str(), 0, 12'346), 0);
  EXPECT_THAT(wrong(check_files(settings, std::nullopt, {})), IsEmpty());
}

TEST_F(Configuration, NeedsNoStateDirectoryBeforeTheFirstStart) {
  EXPECT_THAT(check_files(settings, std::nullopt, {}),
              testing::ElementsAre(is(Severity::fine, "state_directory", "to be made at the first start", "")));
  write("state", "");
  EXPECT_THAT(wrong(check_files(settings, std::nullopt, {})),
              testing::Contains(is(Severity::refuse, "state_directory", "which is no directory", "name another one")));
}

// Certificates.

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key new_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

/// For shop.example.com, good from yesterday for 90 days; issued by `issuer`, or by itself.
Certificate certificate_for(const Key& key, const char* name, const Certificate* issuer = nullptr,
                            const Key* issuers_key = nullptr) {
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  const std::time_t start = (today - std::chrono::days(1)).time_since_epoch().count();
  ASN1_TIME_set(X509_getm_notBefore(made.get()), start);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), start + 90 * 86'400);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(made.get(), issuer != nullptr ? X509_get_subject_name(issuer->get()) : subject);
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, (std::string("DNS:") + name).c_str());
  X509_add_ext(made.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(made.get(), (issuers_key != nullptr ? *issuers_key : key).get(), EVP_sha256());
  return made;
}

std::string pem(const std::function<void(BIO*)>& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  write(memory.get());
  const char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}
std::string pem(const Certificate& certificate) {
  return pem([&](BIO* to) { PEM_write_bio_X509(to, certificate.get()); });
}
std::string pem(const Key& key, const char* passphrase = nullptr) {
  return pem([&](BIO* to) {
    PEM_write_bio_PKCS8PrivateKey(to, key.get(), passphrase != nullptr ? EVP_aes_128_cbc() : nullptr, passphrase,
                                  passphrase != nullptr ? static_cast<int>(std::strlen(passphrase)) : 0, nullptr,
                                  nullptr);
  });
}

class ConfiguredCertificate : public Configuration {
 protected:
  ConfiguredCertificate() { serve(pem(certificate), pem(key)); }

  void serve(const std::string& certificates, const std::string& private_key) {
    settings.api.tls = {write("certificate.pem", certificates), write("key.pem", private_key)};
  }
  Findings check(std::chrono::days later = std::chrono::days(0)) { return check_certificates(settings, today + later); }
  std::string advice() {
    const Findings findings = check();
    return findings.empty() ? "" : findings.front().advice;
  }

  Key key = new_key();
  Certificate certificate = certificate_for(key, "shop.example.com");
};

TEST_F(ConfiguredCertificate, IsGoodBetweenItsDates) {
  const std::string setting = "api.tls.certificate_file";
  using std::chrono::days;
  EXPECT_THAT(check(), testing::ElementsAre(is(Severity::fine, setting, "valid until 2027-02-23", "")));
  EXPECT_THAT(check(days(75)), testing::ElementsAre(is(Severity::fine, setting, "", "")));
  EXPECT_THAT(check(days(76)),
              testing::ElementsAre(is(Severity::warn, setting, "expires in 13 days", "systemctl reload")));
  EXPECT_THAT(check(days(89)),
              testing::ElementsAre(is(Severity::refuse, setting, "expired on 2027-02-23", "get a new one")));
  EXPECT_THAT(check(days(-2)),
              testing::ElementsAre(is(Severity::refuse, setting, "valid from 2026-11-25 on", "clock is right")));
}

TEST_F(ConfiguredCertificate, FitsItsKey) {
  serve(pem(certificate), pem(new_key()));
  EXPECT_THAT(advice(), HasSubstr("is not that of the first certificate"));
  serve(pem(certificate), "");
  EXPECT_THAT(advice(), HasSubstr("there is no private key in"));
  serve(pem(certificate), pem(key, "passphrase"));
  EXPECT_THAT(advice(), HasSubstr("openssl pkey -in"));
  serve("nonsense", pem(key));
  EXPECT_THAT(advice(), HasSubstr("there is no certificate in"));
  settings.api.tls.certificate_file = "/nowhere.pem";
  EXPECT_THAT(advice(), HasSubstr("/nowhere.pem cannot be read"));
}

TEST_F(ConfiguredCertificate, StandsBeforeThoseThatIssuedIt) {
  const Key authority = new_key();
  const Certificate root = certificate_for(authority, "authority");
  const Certificate leaf = certificate_for(key, "shop.example.com", &root, &authority);
  serve(pem(leaf) + pem(root), pem(key));
  EXPECT_THAT(wrong(check()), IsEmpty());
  serve(pem(leaf) + pem(certificate_for(new_key(), "another")), pem(key));
  EXPECT_THAT(advice(), HasSubstr("certificate 2 in"));
  serve(pem(root) + pem(leaf), pem(key));
  EXPECT_THAT(advice(), HasSubstr("the listener's own certificate before those of authorities"));
}

TEST_F(ConfiguredCertificate, IsForTheNameByWhichClientsCome) {
  settings.faces.stripe.listen = ListenAddress{"127.0.0.1", 0};
  settings.faces.stripe.tls = settings.api.tls;
  settings.faces.stripe.hosts = {"shop.example.com"};
  EXPECT_THAT(wrong(check()), IsEmpty());
  settings.faces.stripe.hosts.emplace_back("api.example.com");
  EXPECT_THAT(wrong(check()), testing::ElementsAre(is(Severity::warn, "faces.stripe.tls.certificate_file",
                                                      "not for api.example.com", "subjectAltName")));
}

// Addresses.

TEST_F(Configuration, SaysWhatCannotBeListenedOn) {
  ServiceManager manager;
  auto taken = manager.listener("api", {"127.0.0.1", 0});
  ASSERT_TRUE(taken);
  ASSERT_EQ(::listen(taken->descriptor.get(), 1), 0);
  settings.api.listen = *address_of(taken->descriptor.get());
  settings.operators.listen = {"192.0.2.1", 4243};
  EXPECT_THAT(wrong(check_listeners(settings, false)),
              testing::ElementsAre(is(Severity::warn, "api.listen", "where somebody listens", "ss -ltnp"),
                                   is(Severity::refuse, "operators.listen", "which this machine does not have",
                                      "ip address shows them")));
  EXPECT_THAT(check_listeners(settings, true),
              testing::Contains(is(Severity::fine, "api.listen", "where the running daemon listens", "")));
}

TEST_F(Configuration, SendsPortsOfTheSystemToASocketUnit) {
  settings.operators.listen.port = 0;
  settings.api.listen = {"127.0.0.1", 1};
  std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  int first = 1024;
  file >> first;
  if (first <= 1) GTEST_SKIP() << "here every port is free for all";
  EXPECT_THAT(wrong(check_listeners(settings, false)),
              testing::ElementsAre(is(Severity::warn, "api.listen", "a port that needs no privilege",
                                      "systemctl enable --now billd.socket")));
}

}  // namespace
}  // namespace billd::commands
