// Funding sources and users as this API writes them, and what a request's body says of them.
//
// A funding source is a payment source of the customer whose gateway is the provider's. Its id is the customer's number
// and the source's own within the account, so that nothing has to be kept for it: number x 2^32 + own number.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/account.hpp"
#include "engine/command.hpp"
#include "net/api/document.hpp"
#include "net/api/funding_sources/problem.hpp"

namespace billd::api::funding_sources {

/// The only provider, and the name of the gateway that charges its sources.
inline constexpr std::string_view provider = "stripe";

inline constexpr std::size_t username_length_min = 3, username_length_max = 20;

/// What a body says of one source; members without a value were not given.
struct SourceFields {
  std::optional<std::string> remote_id, nickname;
};

/// The entries of the body's only provider. Unknown members and those that the system sets are ignored.
Answered<std::vector<SourceFields>> read_sources(const http::Request& request);

struct UserFields {
  std::optional<std::string> username, email, given, family, customer;
};
Answered<UserFields> read_user(const http::Request& request);

/// 0: the source is none of this API's.
std::uint64_t id_of(const Account& account, const Source& source);
const Source* find_source(const Account& account, std::uint64_t id);

NewSource new_source(const SourceFields& fields);

/// RFC 3339 in UTC, with a fraction of a second where there is one.
std::string date_text(Timestamp time);
/// The same for a source's last use; never: the beginning of the first year.
std::string last_used_text(const Source& source);
/// IMF-fixdate, truncated to the second.
std::string header_date(Timestamp time);

/// {"code":200,"msg":…,"funding_sources":{"stripe":[…]}} as funding_sources/json.
http::Response show_sources(const Account& account, const std::vector<const Source*>& sources,
                            std::string_view message);

/// Whether an answer tells the user's secret. Then a mark stands for it, wherever the answer is stored.
enum class SecretShown : bool { no, yes };

/// {"code":…,"msg":…,"users":[…]} as users/json.
http::Response show_user(const Account& account, int status, std::string_view message,
                         SecretShown shown = SecretShown::no);
/// Puts the secret in the place of its mark.
void reveal_secret(http::Response& response, std::string_view secret);

}  // namespace billd::api::funding_sources
