// A listener's certificate before it is used: whether it fits its key, for how long it is good, and for which names.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "engine/result.hpp"

struct x509_st;

namespace billd::http {

struct CertificateDates {
  std::chrono::sys_seconds not_before, not_after;
};

struct Certificate {
  /// The stretch in which it and all between it and an authority, as far as they are in the file, are good.
  CertificateDates dates;
  std::shared_ptr<x509_st> certificate;

  /// Whether clients that came by that host name accept it.
  bool is_for(const std::string& host) const;
};

/// Reads the first certificate of the file, those behind it, and the key. bad_configuration when a file cannot be read,
/// the key is another one's or has a passphrase, or the chain is not in order; the detail says what to do.
Result<Certificate> read_certificate(const std::string& certificate_file, const std::string& key_file);

}  // namespace billd::http
