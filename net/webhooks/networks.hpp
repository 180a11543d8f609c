// Which addresses webhooks may be sent to: public ones, and those that the configuration allows.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace billd::webhooks {

/// Ranges of addresses such as "10.0.0.0/8", "fd00::/8" or "192.0.2.7".
class Networks {
 public:
  /// invalid_parameter names the range that is none.
  static Result<Networks> parse(const std::vector<std::string>& ranges);

  /// An IPv4 address inside an IPv6 one is looked for as what it is.
  bool contains(const boost::asio::ip::address& address) const;

  bool empty() const { return v4_.empty() && v6_.empty(); }

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

/// Whether the address is one that hosts of the public Internet have: no loopback, private, link-local, shared,
/// documentation, multicast or reserved one, neither by itself nor inside an IPv6 address. Source: IANA's registries of
/// special-purpose addresses.
bool is_public(const boost::asio::ip::address& address);

/// Whether a request may go to the address, as the resolver wrote it.
bool admits(std::string_view address, const Networks& allowed);

}  // namespace billd::webhooks
