// The one place where Boost.Asio is compiled: everything else includes its declarations only
// (BOOST_ASIO_SEPARATE_COMPILATION).

#include <boost/asio/impl/src.hpp>
