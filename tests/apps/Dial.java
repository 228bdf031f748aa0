// Dials as Java programs do, and prints what came of it as one line of JSON. Arguments: a host and a port
// where the target's server answers, and one where nobody does.

import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

public class Dial {
	static String host;

	public static void main(String[] arguments) throws Exception {
		host = arguments[0];
		int port = Integer.parseInt(arguments[1]), nobody = Integer.parseInt(arguments[2]);
		String place = host.contains(":") ? "[" + host + "]" : host;
		HttpClient client = HttpClient.newHttpClient();
		HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + place + ":" + port + "/")).build();
		String body = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
		System.out.println("{\"httpClient\":" + body.contains("\"by\": \"original\"")
			+ ",\"socket\":\"" + socket(port) + "\",\"refused\":\"" + socket(nobody)
			+ "\",\"channel\":\"" + channel(port) + "\",\"channelRefused\":\"" + channel(nobody) + "\"}");
		System.exit(0);
	}

	static String socket(int port) {
		try (Socket socket = new Socket()) {
			socket.connect(new InetSocketAddress(host, port), 20000);
			return "connected";
		} catch (Exception error) {
			return error.getClass().getSimpleName();
		}
	}

	static String channel(int port) {
		try (SocketChannel channel = SocketChannel.open(); Selector selector = Selector.open()) {
			channel.configureBlocking(false);
			channel.register(selector, SelectionKey.OP_CONNECT);
			if (!channel.connect(new InetSocketAddress(host, port)) && selector.select(20000) != 1)
				return "nothing";
			return channel.finishConnect() ? "connected" : "pending";
		} catch (Exception error) {
			return error.getClass().getSimpleName();
		}
	}
}
