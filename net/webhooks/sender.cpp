#include "net/webhooks/sender.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <ctime>

#include "net/store/numbers.hpp"
#include "net/webhooks/signature.hpp"

namespace billd::webhooks {
namespace {

/// Of an answer's problem, what is kept.
constexpr std::size_t problem_length_max = 120;

http::ClientSettings client_settings(SenderSettings settings) {
  http::ClientSettings client;
  client.connect_limit = settings.limit;
  client.request_limit = settings.limit;
  client.connections_per_origin_max = settings.connections_max;
  client.response_bytes_max = settings.response_bytes_max;
  client.certificate_authorities_file = std::move(settings.certificate_authorities_file);
  client.admits_address = [allowed = std::move(settings.allowed)](std::string_view address) {
    return admits(address, allowed);
  };
  return client;
}

Receipt receipt_of(const http::Response& response, Timestamp now) {
  Receipt receipt;
  receipt.status = static_cast<std::uint16_t>(response.status);
  receipt.is_delivered = response.status >= 200 && response.status < 300;
  receipt.is_gone = response.status == 410;
  if (receipt.is_delivered) return receipt;
  receipt.problem = "it answered " + std::to_string(response.status);
  if (response.status >= 300 && response.status < 400) receipt.problem += "; redirects are not followed";
  if (const auto field = response.headers.find("Retry-After")) receipt.retry_after = parse_retry_after(*field, now);
  return receipt;
}

}  // namespace

Sender::Sender(Executor executor, SenderSettings settings) : client_(executor, client_settings(std::move(settings))) {}

awaitable<Receipt> Sender::send(Dispatch dispatch) {
  const std::int64_t sent_at = to_unix(dispatch.now);
  const Message message{dispatch.event, sent_at, dispatch.body};
  http::ClientRequest request;
  request.method = http::Method::post;
  request.url = std::move(dispatch.url);
  request.headers.add("Content-Type", "application/json; charset=utf-8");
  request.headers.add("User-Agent", "billd/1 (webhooks)");
  request.headers.add("Stripe-Signature", stripe_signature(dispatch.secrets, message));
  request.headers.add("webhook-id", dispatch.event);
  request.headers.add("webhook-timestamp", std::to_string(sent_at));
  request.headers.add("webhook-signature", standard_signature(dispatch.secrets, message));
  request.headers.add("Billd-Customer", dispatch.customer);
  request.headers.add("Billd-Sequence", std::to_string(dispatch.sequence));
  request.body = std::move(dispatch.body);
  auto response = co_await client_.send(std::move(request));
  if (response) co_return receipt_of(*response, dispatch.now);
  Receipt receipt;
  receipt.problem = response.error().detail.substr(0, problem_length_max);
  co_return receipt;
}

std::optional<Milliseconds> parse_retry_after(std::string_view text, Timestamp now) {
  constexpr std::uint64_t seconds_max = 366UL * 24 * 3600;
  if (const auto seconds = store::parse_count(text))
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(*seconds, seconds_max)));
  std::tm parts{};
  const std::string date(text);
  const char* const end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const Timestamp then = from_unix(::timegm(&parts));
  return std::chrono::ceil<Milliseconds>(std::max(then - now, Duration(0)));
}

Result<void> check_url(const std::string& text, bool wants_https, const Networks& allowed) {
  const auto url = boost::urls::parse_absolute_uri(text);
  if (!url || url->host().empty()) return Failure{Errc::invalid_parameter, "Not a valid URL", "url"};
  const bool is_https = url->scheme_id() == boost::urls::scheme::https;
  if (!is_https && url->scheme_id() != boost::urls::scheme::http)
    return Failure{Errc::invalid_parameter, "Invalid URL: it must begin with https:// or http://", "url"};
  if (!is_https && wants_https)
    return Failure{Errc::invalid_parameter, "Invalid URL: in live mode it must begin with https://", "url"};
  if (url->has_userinfo())
    return Failure{Errc::invalid_parameter, "Invalid URL: it must not contain a user or password", "url"};
  const bool is_address =
      url->host_type() == boost::urls::host_type::ipv4 || url->host_type() == boost::urls::host_type::ipv6;
  if (is_address && !admits(std::string(url->host_address()), allowed))
    return Failure{Errc::invalid_parameter,
                   "Invalid URL: URL must be publicly accessible; webhooks.allowed_networks lets other addresses in",
                   "url"};
  return {};
}

}  // namespace billd::webhooks
