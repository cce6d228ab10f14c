#include "stores/redis/channel.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace onceward::redis {
namespace {

using failure = tl::unexpected<std::string>;

struct free_addresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

void set_option(int descriptor, int level, int option, int setting) {
  static_cast<void>(::setsockopt(descriptor, level, option, &setting, sizeof setting));
}

// A peer that is gone is noticed even where nothing is sent.
void watch_peer(int descriptor) {
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, 15'000);
}

bool is_numeric(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

// ---- Trust ---------------------------------------------------------------------------------------------------------

struct trust::context {
  struct end {
    void operator()(SSL_CTX* old) const { SSL_CTX_free(old); }
  };
  std::unique_ptr<SSL_CTX, end> made;
};

trust::trust(std::unique_ptr<context> made) : context_(std::move(made)) {}

trust::~trust() = default;

tl::expected<std::shared_ptr<trust>, std::string> trust::make(const std::string& ca_file) {
  auto made = std::make_unique<context>();
  made->made.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const with = made->made.get();
  if (with == nullptr) return failure("cannot prepare TLS");
  SSL_CTX_set_min_proto_version(with, TLS1_2_VERSION);
  SSL_CTX_set_mode(with, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(with, SSL_VERIFY_PEER, nullptr);
  const bool good = ca_file.empty() ? SSL_CTX_set_default_verify_paths(with) == 1
                                    : SSL_CTX_load_verify_locations(with, ca_file.c_str(), nullptr) == 1;
  ERR_clear_error();
  if (!good) return failure("cannot read the certificates of `ca_file` " + ca_file);
  return std::shared_ptr<trust>(new trust(std::move(made)));
}

// ---- The socket ----------------------------------------------------------------------------------------------------

struct channel::session {
  struct end {
    void operator()(SSL* old) const { SSL_free(old); }
  };
  std::unique_ptr<SSL, end> made;
  std::shared_ptr<trust> whom;
};

channel::channel() = default;

channel::channel(channel&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_connected_(other.is_connected_),
      session_(std::move(other.session_)),
      why_(std::move(other.why_)) {}

channel& channel::operator=(channel&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(is_connected_, other.is_connected_);
  std::swap(session_, other.session_);
  std::swap(why_, other.why_);
  return *this;
}

channel::~channel() {
  session_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

tl::expected<channel, std::string> channel::begin(const address& where, const std::shared_ptr<trust>& whom,
                                                  std::size_t turn) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wanted, &found);
  if (failed != 0) return failure(where.host + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, free_addresses> list(found);
  std::size_t count = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
    ++count;
  const addrinfo* chosen = found;
  for (std::size_t i = turn % count; i > 0; --i)
    chosen = chosen->ai_next;

  channel made;
  made.descriptor_ = ::socket(chosen->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made.descriptor_ < 0) return failure(std::strerror(errno));
  watch_peer(made.descriptor_);
  if (::connect(made.descriptor_, chosen->ai_addr, chosen->ai_addrlen) != 0 && errno != EINPROGRESS) {
    return failure(std::strerror(errno));
  }
  if (whom == nullptr) return made;
  made.session_ = std::make_unique<session>();
  made.session_->whom = whom;
  made.session_->made.reset(SSL_new(whom->context_->made.get()));
  SSL* const with = made.session_->made.get();
  if (with == nullptr || SSL_set_fd(with, made.descriptor_) != 1) return failure("cannot prepare TLS");
  SSL_set_connect_state(with);
  if (is_numeric(where.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(with), where.host.c_str());
  } else {
    SSL_set1_host(with, where.host.c_str());
    // What the macro for it does, without its cast.
    SSL_ctrl(with, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, std::string(where.host).data());
  }
  return made;
}

channel::progress channel::fail(std::string why) {
  why_ = std::move(why);
  return progress::failed;
}

channel::progress channel::connect() {
  if (!is_connected_) {
    pollfd now{descriptor_, POLLOUT, 0};
    if (::poll(&now, 1, 0) <= 0) return progress::wants_to_write;
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) outcome = errno;
    if (outcome != 0) return fail(std::strerror(outcome));
    is_connected_ = true;
  }
  if (session_ == nullptr) return progress::done;
  ERR_clear_error();
  const int outcome = SSL_do_handshake(session_->made.get());
  if (outcome == 1) return progress::done;
  const long verified = SSL_get_verify_result(session_->made.get());
  const progress made = judge(outcome);
  if (made == progress::failed && verified != X509_V_OK) {
    why_ = std::string("the certificate of the server does not do: ") + X509_verify_cert_error_string(verified);
  }
  return made;
}

channel::progress channel::judge(int outcome) {
  switch (SSL_get_error(session_->made.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      return progress::wants_to_read;
    case SSL_ERROR_WANT_WRITE:
      return progress::wants_to_write;
    case SSL_ERROR_SSL:
      return fail(words_of_tls("TLS failed"));
    default:
      return fail("the server closed the connection");
  }
}

std::string channel::words_of_tls(const char* fallback) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? fallback : std::string("TLS: ") + reason;
}

channel::progress channel::read(std::span<char> into, std::size_t& count) {
  count = 0;
  if (session_ != nullptr) {
    ERR_clear_error();
    const int outcome = SSL_read_ex(session_->made.get(), into.data(), into.size(), &count);
    return outcome == 1 ? progress::done : judge(outcome);
  }
  const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
  if (got > 0) {
    count = static_cast<std::size_t>(got);
    return progress::done;
  }
  if (got == 0) return fail("the server closed the connection");
  if (errno == EAGAIN || errno == EINTR) return progress::wants_to_read;
  return fail(std::strerror(errno));
}

channel::progress channel::write(std::string_view bytes, std::size_t& count) {
  count = 0;
  if (session_ != nullptr) {
    ERR_clear_error();
    const int outcome = SSL_write_ex(session_->made.get(), bytes.data(), bytes.size(), &count);
    return outcome == 1 ? progress::done : judge(outcome);
  }
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    count = static_cast<std::size_t>(sent);
    return progress::done;
  }
  if (errno == EAGAIN || errno == EINTR) return progress::wants_to_write;
  return fail(std::strerror(errno));
}

}  // namespace onceward::redis
