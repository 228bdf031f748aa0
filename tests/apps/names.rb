# Looks the hosts of the arguments up as Ruby programs do, and prints what comes: a line each.
require "socket"

def said
  yield.inspect
rescue SocketError => error
  error.message.sub(/\A.*?: /, "")
end

ARGV.each do |host|
  puts "#{host} #{said { Addrinfo.getaddrinfo(host, 80, nil, :STREAM).map(&:ip_address) }}"
  puts "#{host} #{said { IPSocket.getaddress(host) }}"
end
puts said { Addrinfo.tcp("192.0.2.1", 80).getnameinfo }
puts Socket.gethostname
