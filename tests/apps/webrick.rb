# A WEBrick server on the port given: who it thinks is asking, and under /walk what it finds of the pod by Ruby's own
# calls.

require "json"
require "net/http"
require "socket"
require "webrick"

server = WEBrick::HTTPServer.new(Port: Integer(ARGV.fetch(0)), AccessLog: [], DoNotReverseLookup: true)

def answer(response, found)
  response["Content-Type"] = "application/json"
  response.body = JSON.generate({ by: "local" }.merge(found))
end

server.mount_proc("/") do |request, response|
  warn "seen #{request.path}"
  _, port, _, peer = request.peeraddr
  answer(response, pid: Process.pid, peer: peer, peer_port: port, env: { GREETING: ENV["GREETING"] })
end
server.mount_proc("/walk") do |request, response|
  query = request.query
  answer(
    response,
    variable: ENV[query["variable"]],
    addresses: Addrinfo.getaddrinfo(query["name"], 80, nil, :STREAM).map(&:ip_address),
    answer: Net::HTTP.get(URI(query["url"])),
    content: File.read(query["file"]),
  )
end

trap("TERM") { server.shutdown }
server.start
