#include "net/webhooks/networks.hpp"

#include <algorithm>
#include <optional>

namespace billd::webhooks {
namespace {

namespace ip = boost::asio::ip;

bool is_in(const ip::address_v4& address, const ip::network_v4& network) {
  const std::uint32_t mask = network.netmask().to_uint();
  return (address.to_uint() & mask) == (network.address().to_uint() & mask);
}

bool is_in(const ip::address_v6& address, const ip::network_v6& network) {
  const auto bytes = address.to_bytes(), base = network.address().to_bytes();
  unsigned left = network.prefix_length();
  for (std::size_t i = 0; i < bytes.size() && left > 0; ++i) {
    const unsigned bits = std::min(left, 8U);
    const unsigned mask = 0xFFU << (8 - bits) & 0xFFU;
    if ((bytes[i] & mask) != (base[i] & mask)) return false;
    left -= bits;
  }
  return true;
}

template <class Address, class Network>
bool is_in_any(const Address& address, const std::vector<Network>& networks) {
  return std::ranges::any_of(networks, [&](const Network& network) { return is_in(address, network); });
}

const std::vector<ip::network_v4>& special_v4() {
  static const std::vector<ip::network_v4> networks = [] {
    std::vector<ip::network_v4> all;
    for (const char* range : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                              "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
                              "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"})
      all.push_back(ip::make_network_v4(range));
    return all;
  }();
  return networks;
}

struct V6Ranges {
  /// Everything outside of it is local, multicast or not assigned.
  ip::network_v6 global = ip::make_network_v6("2000::/3");
  std::vector<ip::network_v6> special = {ip::make_network_v6("2001::/23"), ip::make_network_v6("2001:db8::/32"),
                                         ip::make_network_v6("3fff::/20")};
  ip::network_v6 six_to_four = ip::make_network_v6("2002::/16");
  ip::network_v6 nat64 = ip::make_network_v6("64:ff9b::/96");
};

const V6Ranges& v6_ranges() {
  static const V6Ranges ranges;
  return ranges;
}

/// The IPv4 address that packets to the IPv6 one end at; empty: there is none.
std::optional<ip::address_v4> inner_v4(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const auto v4_at = [&](std::size_t at) {
    return ip::address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
  };
  if (address.is_v4_mapped() || is_in(address, v6_ranges().nat64)) return v4_at(12);
  if (is_in(address, v6_ranges().six_to_four)) return v4_at(2);
  return std::nullopt;
}

bool is_public(const ip::address_v4& address) { return !is_in_any(address, special_v4()); }

Failure no_range(const std::string& range) {
  return {Errc::invalid_parameter, "\"" + range + "\" is not a range of addresses such as 10.0.0.0/8 or fd00::/8"};
}

}  // namespace

Result<Networks> Networks::parse(const std::vector<std::string>& ranges) {
  Networks networks;
  for (const std::string& range : ranges) {
    boost::system::error_code failed;
    const bool has_length = range.find('/') != std::string::npos;
    if (range.find(':') == std::string::npos) {
      networks.v4_.push_back(ip::make_network_v4(has_length ? range : range + "/32", failed));
    } else {
      networks.v6_.push_back(ip::make_network_v6(has_length ? range : range + "/128", failed));
    }
    if (failed) return no_range(range);
  }
  return networks;
}

bool Networks::contains(const ip::address& address) const {
  if (address.is_v4()) return is_in_any(address.to_v4(), v4_);
  if (const auto inner = inner_v4(address.to_v6())) return is_in_any(*inner, v4_);
  return is_in_any(address.to_v6(), v6_);
}

bool is_public(const ip::address& address) {
  if (address.is_v4()) return is_public(address.to_v4());
  const ip::address_v6 six = address.to_v6();
  if (const auto inner = inner_v4(six)) return is_public(*inner);
  return six.scope_id() == 0 && is_in(six, v6_ranges().global) && !is_in_any(six, v6_ranges().special);
}

bool admits(std::string_view address, const Networks& allowed) {
  boost::system::error_code failed;
  const ip::address parsed = ip::make_address(address, failed);
  if (failed) return false;
  return is_public(parsed) || allowed.contains(parsed);
}

}  // namespace billd::webhooks
