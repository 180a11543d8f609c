#include "net/http/certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <vector>

namespace billd::http {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Failure unfit(std::string detail) { return {Errc::bad_configuration, std::move(detail)}; }

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

/// Nobody is asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return 0; }

std::vector<std::shared_ptr<X509>> read_chain(BIO* file) {
  std::vector<std::shared_ptr<X509>> chain;
  while (X509* next = PEM_read_bio_X509(file, nullptr, no_passphrase, nullptr)) chain.emplace_back(next, X509_free);
  return chain;
}

bool is_encrypted(const std::string& key_file) {
  const Bio file(BIO_new_file(key_file.c_str(), "r"), BIO_free);
  char line[256];
  while (file && BIO_gets(file.get(), line, sizeof line) > 0)
    if (std::string_view(line).find("ENCRYPTED") != std::string_view::npos) return true;
  return false;
}

}  // namespace

bool Certificate::is_for(const std::string& host) const {
  return X509_check_host(certificate.get(), host.data(), host.size(), 0, nullptr) == 1;
}

Result<Certificate> read_certificate(const std::string& certificate_file, const std::string& key_file) {
  const Bio certificates(BIO_new_file(certificate_file.c_str(), "r"), BIO_free);
  if (!certificates) return unfit(certificate_file + " cannot be read: see that it is there, and for billd's user");
  const auto chain = read_chain(certificates.get());
  if (chain.empty())
    return unfit("there is no certificate in " + certificate_file + ": it must be PEM, with BEGIN CERTIFICATE");
  const Bio keys(BIO_new_file(key_file.c_str(), "r"), BIO_free);
  if (!keys) return unfit(key_file + " cannot be read: see that it is there, and for billd's user");
  const Key key(PEM_read_bio_PrivateKey(keys.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!key && is_encrypted(key_file))
    return unfit(key_file + " has a passphrase, which nobody is there to give: openssl pkey -in " + key_file +
                 " -out NEW");
  if (!key) return unfit("there is no private key in " + key_file + ": it must be PEM, with BEGIN PRIVATE KEY");
  if (X509_check_private_key(chain.front().get(), key.get()) != 1)
    return unfit("the key in " + key_file + " is not that of the first certificate in " + certificate_file +
                 ": give the two that were made together, the listener's own certificate before those of authorities");
  Certificate read;
  read.certificate = chain.front();
  read.dates = {time_of(X509_get0_notBefore(chain.front().get())), time_of(X509_get0_notAfter(chain.front().get()))};
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK)
      return unfit("certificate " + std::to_string(i + 1) + " in " + certificate_file +
                   " did not issue the one before it: "
                   "put them in order, the listener's own first");
    read.dates.not_before = std::max(read.dates.not_before, time_of(X509_get0_notBefore(chain[i].get())));
    read.dates.not_after = std::min(read.dates.not_after, time_of(X509_get0_notAfter(chain[i].get())));
  }
  return read;
}

}  // namespace billd::http
