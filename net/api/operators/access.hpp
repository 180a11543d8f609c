// Who may look and who may act: tokens with roles, and what keeps other people's web pages from acting.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/operator_tokens.hpp"
#include "engine/result.hpp"
#include "net/http/message.hpp"

namespace billd::api::operators {

/// What a request is allowed.
struct Grant {
  OperatorRole role = OperatorRole::read;
  std::string name;  ///< of the token; empty: there are no tokens, and nobody proved who they are
  /// The credentials came with the request itself and not from a browser that attaches them to whatever it sends.
  bool is_bearer = false;

  bool may_act() const { return role == OperatorRole::act; }
};

class Access {
 public:
  Access();

  /// Without tokens everybody who reaches the listener may act. `host`: see operators.host in the settings.
  void set(std::vector<OperatorToken> tokens, std::string host);

  /// Looks at the credentials: "Authorization: Bearer TOKEN", or "Basic" with the token as the password, which browsers
  /// ask for by themselves. unauthenticated: they are missing or wrong. forbidden: without tokens, a Host that is no
  /// address and not known here: a name that leads here may belong to anybody.
  Result<Grant> admit(const http::Request& request) const;

  /// What a form that acts must bring along. It holds as long as this process.
  std::string form_token(const Grant& grant) const;

  /// Whether the request may act: role, and that no page of another origin made a browser send it. A form needs the
  /// form token. `form_token` is empty for JSON, which no form can send and for which other origins would have to ask
  /// first.
  Result<void> admit_action(const http::Request& request, const Grant& grant,
                            std::optional<std::string_view> form_token) const;

 private:
  std::vector<OperatorToken> tokens_;
  std::string host_;
  std::string secret_;  ///< of the form tokens
};

}  // namespace billd::api::operators
