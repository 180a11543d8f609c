// The HTTP client: what it sends, what it makes of every way in which an exchange can end, and TLS.
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "http_peers.hpp"
#include "net/http/client.hpp"
#include "run.hpp"

namespace billd::http {
namespace {

ClientRequest request(Method method, std::uint16_t port, std::string_view target = "/") {
  ClientRequest made;
  made.method = method;
  made.url = "http://127.0.0.1:" + std::to_string(port) + std::string(target);
  made.limit = Milliseconds(5'000);
  return made;
}

/// A client on the test's own loop; what it says of one request after another.
struct Caller {
  explicit Caller(ClientSettings settings = {}) : client(loop.get_executor(), std::move(settings)) {}

  Result<Response> send(ClientRequest sent) { return run<Result<Response>>(loop, client.send(std::move(sent))); }

  asio::io_context loop{1};
  Client client;
};

/// Plays a peer in a thread of its own, one function after another for each connection.
class PlayedPeer {
 public:
  using Part = std::function<void(RawPeer&)>;

  explicit PlayedPeer(std::vector<Part> parts) : thread_([this, parts = std::move(parts)] { play(parts); }) {}
  ~PlayedPeer() { thread_.join(); }

  std::uint16_t port() const { return listener_.port(); }

 private:
  void play(const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      RawPeer peer = listener_.accept();
      part(peer);
    }
  }

  RawListener listener_;
  std::thread thread_;
};

// Reads one request and sends these bytes; then the connection is closed.
PlayedPeer::Part answers(std::string bytes) {
  return [bytes](RawPeer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send(bytes);
  };
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

awaitable<Response> echo(Request received) {
  Response response;
  response.status = 201;
  response.content_type = "text/plain";
  response.headers.add("X-Host", *received.headers.find("Host"));
  response.body = std::string(name(received.method)) + " " + received.target + " " + received.body;
  co_return response;
}

TEST(Client, SendsARequestAndGetsItsAnswer) {
  RunningServer server(echo);
  Caller caller;
  ClientRequest sent = request(Method::post, server.port(), "/v1/charges?a=b");
  sent.body = "amount=100";
  Result<Response> answer = caller.send(sent);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(answer->body, "POST /v1/charges?a=b amount=100");
  EXPECT_EQ(answer->headers.find("x-host"), "127.0.0.1:" + std::to_string(server.port()));
}

TEST(Client, KeepsItsConnection) {
  RunningServer server(echo);
  Caller caller;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(caller.send(request(Method::get, server.port())));
  EXPECT_EQ(server.counts().connections_total, 1U);
  EXPECT_EQ(caller.client.connections(), 1U);
}

TEST(Client, UnderstandsEveryWayToEndAnAnswer) {
  struct Case {
    const char* answer;
    int status;
    const char* body;
  };
  for (auto [bytes, status, body] : std::initializer_list<Case>{
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, "ok"},
           {"HTTP/1.0 200 OK\r\n\r\nok", 200, "ok"},
           {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", 200, "ok"},
           {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
           {"HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n", 402, ""},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n"
            "Content-Length: 2\r\n\r\nok",
            200, "ok"},
           {"HTTP/1.1 500 \r\nX: \xe9\r\nContent-Length: 2\r\n\r\nok", 500, "ok"},
       }) {
    PlayedPeer peer({answers(bytes)});
    Caller caller;
    Result<Response> answer = caller.send(request(Method::post, peer.port()));
    ASSERT_TRUE(answer) << bytes << answer.error().detail;
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, body);
  }
}

TEST(Client, ReadsNoBodyAfterHead) {
  RunningServer server(echo);
  Caller caller;
  for (int i = 0; i < 2; ++i) {
    Result<Response> answer = caller.send(request(Method::head, server.port()));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "");
  }
}

TEST(Client, DoesNotKnowTheOutcomeWithoutACompleteAnswer) {
  for (const char* bytes : {
           "",
           "HTTP/1.1 200",
           "HTTP/1.1 200 OK\r\n\r",
           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
           "HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
           "HTTP/1.1 100 Continue\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
           "SSH-2.0-OpenSSH_9.2\r\n\r\n",
       }) {
    PlayedPeer peer({answers(bytes)});
    Caller caller;
    Result<Response> answer = caller.send(request(Method::post, peer.port()));
    ASSERT_TRUE(answer.has_error()) << bytes;
    EXPECT_EQ(answer.error().code, Errc::outcome_unknown) << bytes << ": " << answer.error().detail;
    EXPECT_EQ(caller.client.connections(), 0U);
  }
}

TEST(Client, DoesNotKnowTheOutcomeWhenTheAnswerIsLate) {
  std::promise<void> done;
  PlayedPeer peer({[&](RawPeer& accepted) {
    accepted.read_until("\r\n\r\n");
    accepted.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    done.get_future().wait();
  }});
  Caller caller;
  ClientRequest sent = request(Method::post, peer.port());
  sent.limit = Milliseconds(50);
  Result<Response> answer = caller.send(sent);
  done.set_value();
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().code, Errc::outcome_unknown);
  EXPECT_EQ(answer.error().detail, "there was no complete answer in time");
}

TEST(Client, KnowsThatNothingWasSentWhenItCannotConnect) {
  std::uint16_t unused = 0;
  {
    unused = RawListener().port();
  }
  Caller caller;
  Result<Response> refused = caller.send(request(Method::post, unused));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Errc::unavailable) << refused.error().detail;

  ClientRequest nowhere = request(Method::post, 80);
  nowhere.url = "http://no-such-host.invalid/";
  EXPECT_EQ(caller.send(nowhere).error().code, Errc::unavailable);
  EXPECT_EQ(caller.client.connections(), 0U);
}

TEST(Client, RefusesWhatIsNotFitToBeSent) {
  Caller caller;
  for (const char* url :
       {"", "/a", "ftp://a/", "http://", "http:///a", "http://user@a/", "http://user:pw@a/", "http://a b/",
        "http://a/\r\nX: y", "http://a:99999/", "http://a:0/", "http://a%2fb/", "http://a/#b"}) {
    ClientRequest sent = request(Method::get, 1);
    sent.url = url;
    Result<Response> answer = caller.send(sent);
    ASSERT_TRUE(answer.has_error()) << url;
    EXPECT_EQ(answer.error().code, Errc::invalid_parameter) << url;
  }
  ClientRequest split = request(Method::get, 1);
  split.headers.add("X", "a\r\nY: b");
  EXPECT_EQ(caller.send(split).error().code, Errc::invalid_parameter);
}

TEST(Client, RepeatsOnlyWhatMayBeRepeatedWhenAKeptConnectionWasClosed) {
  struct Case {
    Method method;
    bool with_key;
    bool repeated;
  };
  for (auto [method, with_key, repeated] : std::initializer_list<Case>{{Method::get, false, true},
                                                                       {Method::post, true, true},
                                                                       {Method::post, false, false},
                                                                       {Method::delete_, false, false}}) {
    // The first connection takes the second request and closes without a word; only a repetition makes another one.
    std::vector<PlayedPeer::Part> parts = {[](RawPeer& peer) {
      peer.read_until("\r\n\r\n");
      peer.send(ok);
      peer.read_until("\r\n\r\n");
    }};
    if (repeated) parts.push_back(answers(ok));
    PlayedPeer peer(parts);
    Caller caller;
    ASSERT_TRUE(caller.send(request(Method::get, peer.port())));
    ClientRequest sent = request(method, peer.port());
    if (with_key) sent.headers.add("idempotency-key", "k");
    Result<Response> answer = caller.send(sent);
    EXPECT_EQ(answer.has_value(), repeated) << name(method);
    if (!repeated) EXPECT_EQ(answer.error().code, Errc::outcome_unknown);
  }
}

TEST(Client, DoesNotRepeatOnANewConnection) {
  PlayedPeer peer({answers("")});
  Caller caller;
  EXPECT_EQ(caller.send(request(Method::get, peer.port())).error().code, Errc::outcome_unknown);
}

TEST(Client, DoesNotRepeatOnceTheAnswerHasBegun) {
  PlayedPeer peer({[](RawPeer& accepted) {
    accepted.read_until("\r\n\r\n");
    accepted.send(ok);
    accepted.read_until("\r\n\r\n");
    accepted.send("H");
  }});
  Caller caller;
  ASSERT_TRUE(caller.send(request(Method::get, peer.port())));
  EXPECT_EQ(caller.send(request(Method::get, peer.port())).error().code, Errc::outcome_unknown);
}

TEST(Client, TakesANewConnectionWhenThePeerHasClosedTheKeptOne) {
  std::promise<void> closed;
  PlayedPeer peer({[&](RawPeer& accepted) {
                     accepted.read_until("\r\n\r\n");
                     accepted.send(ok);
                     accepted.close();
                     closed.set_value();
                   },
                   answers(ok)});
  Caller caller;
  ASSERT_TRUE(caller.send(request(Method::post, peer.port())));
  closed.get_future().wait();
  EXPECT_TRUE(caller.send(request(Method::post, peer.port())));
}

TEST(Client, DoesNotReuseAConnectionWithLeftovers) {
  PlayedPeer peer({answers(ok + "HTTP/1.1 200 OK\r\n"), answers(ok)});
  Caller caller;
  ASSERT_TRUE(caller.send(request(Method::get, peer.port())));
  EXPECT_EQ(caller.client.connections(), 0U);
  EXPECT_TRUE(caller.send(request(Method::get, peer.port())));
}

awaitable<> count_answer(Client& client, ClientRequest sent, int& answered, int& failed) {
  Result<Response> answer = co_await client.send(std::move(sent));
  ++(answer ? answered : failed);
}

TEST(Client, WaitsForAFreeConnection) {
  RunningServer server(echo);
  ClientSettings settings;
  settings.connections_per_origin_max = 2;
  Caller caller(settings);
  int answered = 0;
  int failed = 0;
  Tasks tasks(caller.loop.get_executor());
  for (int i = 0; i < 50; ++i)
    tasks.spawn("request", count_answer(caller.client, request(Method::post, server.port()), answered, failed));
  EXPECT_TRUE(run_until(caller.loop, [&] { return tasks.running() == 0; }));
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(server.counts().connections_total, 2U);
}

TEST(Client, SaysThatNothingWasSentWhenNoConnectionBecomesFree) {
  std::promise<void> done;
  PlayedPeer peer({[&](RawPeer& accepted) {
    accepted.read_until("\r\n\r\n");
    done.get_future().wait();
    accepted.send(ok);
  }});
  ClientSettings settings;
  settings.connections_per_origin_max = 1;
  Caller caller(settings);
  int answered = 0;
  int failed = 0;
  Tasks tasks(caller.loop.get_executor());
  tasks.spawn("request", count_answer(caller.client, request(Method::post, peer.port()), answered, failed));
  ClientRequest second = request(Method::post, peer.port());
  second.limit = Milliseconds(30);
  EXPECT_EQ(caller.send(second).error().code, Errc::unavailable);
  done.set_value();
  EXPECT_TRUE(run_until(caller.loop, [&] { return tasks.running() == 0; }));
  EXPECT_EQ(answered, 1);
}

TEST(Client, ClosesConnectionsThatAreNotUsed) {
  RunningServer server(echo);
  ClientSettings settings;
  settings.idle_limit = Milliseconds(20);
  Caller caller(settings);
  ASSERT_TRUE(caller.send(request(Method::get, server.port())));
  EXPECT_EQ(caller.client.connections(), 1U);
  run_until(caller.loop, [&] { return caller.client.connections() == 0; });
  EXPECT_EQ(caller.client.connections(), 0U);
}

TEST(Client, AsksWhetherAnAddressIsAdmitted) {
  RunningServer server(echo);
  std::vector<std::string> asked;
  ClientSettings settings;
  settings.admits_address = [&](std::string_view address) {
    asked.emplace_back(address);
    return false;
  };
  Caller caller(settings);
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1"}) {
    asked.clear();
    ClientRequest sent = request(Method::post, server.port());
    sent.url = "http://" + std::string(host) + ":" + std::to_string(server.port()) + "/";
    Result<Response> answer = caller.send(sent);
    ASSERT_TRUE(answer.has_error()) << host;
    EXPECT_EQ(answer.error().code, Errc::forbidden) << host << answer.error().detail;
    ASSERT_FALSE(asked.empty()) << host;
    EXPECT_TRUE(asked[0] == "127.0.0.1" || asked[0] == "::1") << asked[0];
  }
  EXPECT_EQ(server.counts().connections_total, 0U);
}

/// A name whose owner gives another address each time, so that what was checked would not be what is used.
TEST(Client, IsNotLedToAnAddressThatIsNotAdmittedByANameThatChangesItsAddresses) {
  RunningServer meant(echo, {}, "127.0.0.2");
  RunningServer guarded(echo, {}, "127.0.0.1", meant.port());
  std::vector<std::vector<std::string>> answers;
  std::vector<std::string> asked, looked_up;
  ClientSettings settings;
  settings.idle_limit = Milliseconds(1);  // each request connects anew
  settings.admits_address = [&](std::string_view address) {
    asked.emplace_back(address);
    return address == "127.0.0.2";
  };
  settings.resolve = [&](const std::string& host) {
    looked_up.push_back(host);
    std::vector<std::string> next;
    if (!answers.empty()) {
      next = std::move(answers.front());
      answers.erase(answers.begin());
    }
    return next;
  };
  Caller caller(settings);
  struct Case {
    std::vector<std::string> addresses;
    std::optional<Errc> code;  ///< empty: it is sent
  };
  const Case cases[] = {
      {{"127.0.0.2"}, {}},
      {{"127.0.0.1"}, Errc::forbidden},               // rebound
      {{"127.0.0.2", "127.0.0.1"}, Errc::forbidden},  // one bad address among good ones
      {{"127.0.0.1", "127.0.0.2"}, Errc::forbidden},
      {{"127.0.0.2"}, {}},
      {{"::1", "127.0.0.2"}, Errc::forbidden},
      {{"::ffff:127.0.0.1"}, Errc::forbidden},  // the same address in other words
      {{}, Errc::unavailable},                  // no such name
  };
  std::size_t sent_count = 0;
  for (const Case& each : cases) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    run_until(caller.loop, [&] { return caller.client.connections() == 0; });
    answers = {each.addresses, {"127.0.0.1"}};  // who asks twice is told something else
    asked.clear();
    looked_up.clear();
    ClientRequest sent = request(Method::post, meant.port());
    sent.url = "http://hooks.example:" + std::to_string(meant.port()) + "/";
    const Result<Response> answer = caller.send(sent);
    EXPECT_EQ(looked_up, std::vector<std::string>{"hooks.example"}) << "a name is looked up once for a connection";
    if (!each.code) {
      EXPECT_TRUE(answer);
      ++sent_count;
    } else {
      ASSERT_TRUE(answer.has_error());
      EXPECT_EQ(answer.error().code, *each.code) << answer.error().detail;
    }
  }
  EXPECT_EQ(guarded.counts().connections_total, 0U) << "nothing ever reached it";
  EXPECT_EQ(meant.counts().connections_total, sent_count);
}

TEST(Client, MayBeCancelledAtAnyMoment) {
  RunningServer server(echo);
  for (int steps = 0; steps < 12; ++steps) {
    Caller caller;
    int answered = 0;
    int failed = 0;
    Tasks tasks(caller.loop.get_executor());
    tasks.spawn("request", count_answer(caller.client, request(Method::post, server.port()), answered, failed));
    for (int i = 0; i < steps; ++i) caller.loop.poll_one();
    asio::post(caller.loop, [&] { tasks.cancel(); });
    EXPECT_TRUE(run_until(caller.loop, [&] { return tasks.running() == 0; }));
    Result<Response> next = caller.send(request(Method::post, server.port()));
    EXPECT_TRUE(next);
  }
}

TEST(Client, MayEndTogetherWithItsLoop) {
  std::atomic<bool> arrived = false;
  std::promise<void> done;
  PlayedPeer peer({[&](RawPeer& accepted) {
    accepted.read_until("\r\n\r\n");
    arrived = true;
    done.get_future().wait();
  }});
  int answered = 0;
  int failed = 0;
  {
    ClientSettings settings;
    settings.connections_per_origin_max = 1;
    Caller caller(settings);
    for (int i = 0; i < 3; ++i)
      asio::co_spawn(caller.loop, count_answer(caller.client, request(Method::post, peer.port()), answered, failed),
                     [](std::exception_ptr) {});
    while (!arrived) caller.loop.run_one_for(Milliseconds(1));
  }
  done.set_value();
  EXPECT_EQ(answered + failed, 0);
}

template <class T, void (*release)(T*)>
struct Releaser {
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509, X509_free>>;
using Memory = std::unique_ptr<BIO, Releaser<BIO, BIO_vfree>>;

Key make_key() { return Key(EVP_EC_gen("P-256")); }

void extend(X509& certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A certificate for `name`, signed by `issuer`'s key; by its own when there is no issuer.
Certificate make_certificate(const char* name, EVP_PKEY& key, X509* issuer, EVP_PKEY& issuer_key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), issuer ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), &key);
  const auto* bytes = reinterpret_cast<const unsigned char*>(name);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, bytes, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer ? issuer : certificate.get()));
  if (issuer) {
    extend(*certificate, NID_subject_alt_name, ("DNS:" + std::string(name)).c_str());
  } else {
    extend(*certificate, NID_basic_constraints, "critical,CA:TRUE");
  }
  X509_sign(certificate.get(), &issuer_key, EVP_sha256());
  return certificate;
}

std::string pem_of(X509& certificate) {
  Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), &certificate);
  char* text = nullptr;
  long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string pem_of(EVP_PKEY& key) {
  Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

/// A TLS server with a certificate of an authority of its own; answers every request with `answer`, and closes without
/// close_notify when the connection is over.
class TlsServer {
 public:
  TlsServer(const char* certified_name, std::string answer) : answer_(std::move(answer)) {
    Key authority_key = make_key();
    Certificate authority = make_certificate("Test Authority", *authority_key, nullptr, *authority_key);
    Key key = make_key();
    Certificate certificate = make_certificate(certified_name, *key, authority.get(), *authority_key);
    std::string certificate_text = pem_of(*certificate);
    std::string key_text = pem_of(*key);
    context_.use_certificate_chain(asio::buffer(certificate_text));
    context_.use_private_key(asio::buffer(key_text), asio::ssl::context::pem);
    SSL_CTX_set_tlsext_servername_callback(context_.native_handle(), remember_name);
    SSL_CTX_set_tlsext_servername_arg(context_.native_handle(), this);

    std::string pattern = testing::TempDir() + "billd-authority-XXXXXX";
    int file = ::mkstemp(pattern.data());
    authorities_file_ = pattern;
    std::string authority_text = pem_of(*authority);
    EXPECT_EQ(::write(file, authority_text.data(), authority_text.size()), static_cast<ssize_t>(authority_text.size()));
    ::close(file);
    thread_ = std::thread([this] { serve(); });
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  ~TlsServer() {
    stopping_ = true;
    RawPeer::connected(port());  // wakes accept
    thread_.join();
    std::filesystem::remove(authorities_file_);
  }

  std::uint16_t port() const { return listener_.port(); }
  const std::string& authorities_file() const { return authorities_file_; }
  std::string named() const { return named_; }
  void allow_only(int version) { SSL_CTX_set_max_proto_version(context_.native_handle(), version); }

 private:
  static int remember_name(SSL* connection, int*, void* server) {
    const char* asked = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    static_cast<TlsServer*>(server)->named_ = asked ? asked : "";
    return SSL_TLSEXT_ERR_OK;
  }

  void serve() {
    while (!stopping_) {
      RawPeer accepted = listener_.accept();
      if (stopping_) return;
      asio::io_context loop;
      asio::ip::tcp::socket socket(loop, asio::ip::tcp::v4(), ::dup(accepted.descriptor()));
      asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), context_);
      boost::system::error_code ec;
      stream.handshake(asio::ssl::stream_base::server, ec);
      std::string received;
      while (!ec) {
        std::size_t size = asio::read_until(stream, asio::dynamic_buffer(received), "\r\n\r\n", ec);
        received.erase(0, size);
        if (!ec) asio::write(stream, asio::buffer(answer_), ec);
        if (answer_.find("Connection: close") != std::string::npos) break;
      }
    }
  }

  RawListener listener_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  std::string answer_;
  std::string authorities_file_;
  std::string named_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

ClientRequest tls_request(const TlsServer& server, std::string_view host) {
  ClientRequest made = request(Method::post, server.port());
  made.url = "https://" + std::string(host) + ":" + std::to_string(server.port()) + "/";
  return made;
}

ClientSettings trusting(const TlsServer& server) {
  ClientSettings settings;
  settings.certificate_authorities_file = server.authorities_file();
  return settings;
}

TEST(TlsClient, TrustsACertificateOfItsAuthorityForTheHost) {
  TlsServer server("localhost", ok);
  Caller caller(trusting(server));
  for (int i = 0; i < 3; ++i) {
    Result<Response> answer = caller.send(tls_request(server, "localhost"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "ok");
  }
  EXPECT_EQ(server.named(), "localhost");
  EXPECT_EQ(caller.client.connections(), 1U);
}

TEST(TlsClient, SendsNothingToAPeerItDoesNotTrust) {
  TlsServer server("localhost", ok);
  Caller without_the_authority;
  Result<Response> unknown_authority = without_the_authority.send(tls_request(server, "localhost"));
  ASSERT_TRUE(unknown_authority.has_error());
  EXPECT_EQ(unknown_authority.error().code, Errc::unavailable) << unknown_authority.error().detail;

  Caller caller(trusting(server));
  EXPECT_EQ(caller.send(tls_request(server, "127.0.0.1")).error().code, Errc::unavailable);
  TlsServer other("example.org", ok);
  Caller of_other(trusting(other));
  EXPECT_EQ(of_other.send(tls_request(other, "localhost")).error().code, Errc::unavailable);
}

TEST(TlsClient, RefusesOldVersions) {
  TlsServer server("localhost", ok);
  server.allow_only(TLS1_1_VERSION);
  Caller caller(trusting(server));
  EXPECT_EQ(caller.send(tls_request(server, "localhost")).error().code, Errc::unavailable);
}

TEST(TlsClient, DoesNotTakeATruncatedAnswerForACompleteOne) {
  TlsServer server("localhost", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it");
  Caller caller(trusting(server));
  EXPECT_EQ(caller.send(tls_request(server, "localhost")).error().code, Errc::outcome_unknown);
  // With its length told, the missing farewell does no harm.
  TlsServer with_length("localhost", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  Caller caller_of_that(trusting(with_length));
  EXPECT_TRUE(caller_of_that.send(tls_request(with_length, "localhost")));
}

TEST(TlsClient, GivesUpOnAPeerThatDoesNotShakeHands) {
  std::promise<void> done;
  PlayedPeer peer({[&](RawPeer&) { done.get_future().wait(); }});
  ClientSettings settings;
  settings.connect_limit = Milliseconds(40);
  Caller caller(settings);
  ClientRequest sent = request(Method::post, peer.port());
  sent.url.replace(0, 4, "https");
  Result<Response> answer = caller.send(sent);
  done.set_value();
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
}

TEST(TlsClient, SaysWhenTheAuthoritiesCannotBeLoaded) {
  TlsServer server("localhost", ok);
  ClientSettings settings;
  settings.certificate_authorities_file = "/nonexistent/authorities.pem";
  Caller caller(settings);
  EXPECT_EQ(caller.send(tls_request(server, "localhost")).error().code, Errc::bad_configuration);
}

}  // namespace
}  // namespace billd::http
