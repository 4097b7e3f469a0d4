import java.io.FileWriter;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Properties;

/** Answers every request with the version in its jar, and writes a line to its log. With "crash" in its properties it fails. */
public class HelloServer {
    public static void main(String[] args) throws Exception {
        Properties about = new Properties();
        try (InputStream in = HelloServer.class.getResourceAsStream("/about.properties")) {
            about.load(in);
        }
        String version = about.getProperty("version");
        if (about.getProperty("crash") != null) {
            System.err.println("eureka " + version + " cannot read its database settings");
            System.exit(1);
        }
        try (FileWriter log = new FileWriter(args[2], true)) {
            log.write("INFO 舢板 eureka " + version + " is up\n");
        }
        try (ServerSocket server = new ServerSocket(Integer.parseInt(args[1]), 50, InetAddress.getByName(args[0]))) {
            while (true) {
                try (Socket socket = server.accept()) {
                    socket.getInputStream().read(new byte[4096]);
                    OutputStream out = socket.getOutputStream();
                    out.write(("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\neureka " + version + "\n").getBytes("UTF-8"));
                }
            }
        }
    }
}
