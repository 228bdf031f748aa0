# Finds libc's connect by its handle, as Ruby programs do that speak C, dials the arguments' host and port, prints the errno.
require "fiddle"
require "io/nonblock"
require "socket"

libc = Fiddle.dlopen("libc.so.6")
connect = Fiddle::Function.new(libc["connect"], [Fiddle::TYPE_INT, Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT], Fiddle::TYPE_INT)
name = Socket.sockaddr_in(Integer(ARGV[1]), ARGV[0])
socket = Socket.new(:INET, :STREAM)
socket.nonblock = false
status = connect.call(socket.fileno, name, name.bytesize)
puts status == 0 ? 0 : Fiddle.last_error
