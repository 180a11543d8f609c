// What a listener shows of itself in TLS, replaceable while connections run.
#pragma once

#include <memory>
#include <string>

#include "engine/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace billd::http {

/// TLS 1.2 and later. Connections keep what they began with; a replacement holds for those that come after it.
class TlsIdentity {
 public:
  TlsIdentity();
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  /// Reads a certificate chain and its key from PEM files. bad_configuration, naming the file and what is wrong with
  /// it; then what was there before stays.
  Result<void> load(const std::string& certificate_file, const std::string& key_file);

  /// Plain HTTP from now on.
  void clear() { context_.reset(); }

  /// nullptr: plain HTTP.
  const std::shared_ptr<boost::asio::ssl::context>& context() const { return context_; }

 private:
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace billd::http
