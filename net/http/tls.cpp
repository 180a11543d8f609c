#include "net/http/tls.hpp"

#include <boost/asio/ssl/context.hpp>

namespace billd::http {

namespace ssl = boost::asio::ssl;

TlsIdentity::TlsIdentity() = default;
TlsIdentity::~TlsIdentity() = default;

Result<void> TlsIdentity::load(const std::string& certificate_file, const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  boost::system::error_code ec;
  auto wrong = [&ec](const std::string& what) { return Failure{Errc::bad_configuration, what + ": " + ec.message()}; };
  context->use_certificate_chain_file(certificate_file, ec);
  if (ec) return wrong("cannot use the certificate in " + certificate_file);
  context->use_private_key_file(key_file, ssl::context::pem, ec);
  if (ec) return wrong("cannot use the private key in " + key_file + " with the certificate in " + certificate_file);
  context_ = std::move(context);
  return {};
}

}  // namespace billd::http
