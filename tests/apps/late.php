<?php
// Dials a host of its own by each extension that Debian packages and that opens sockets through the C library, and prints
// the extension's name when it is done. Hosts end with the extension's number in the list.
error_reporting(0);
set_error_handler(fn() => true);
$dials = [
    "curl" => function ($host) {
        $curl = curl_init("http://$host:80/");
        curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CONNECTTIMEOUT => 20]);
        curl_exec($curl);
    },
    "pgsql" => fn($host) => pg_connect("host=$host port=80 connect_timeout=20"),
    "pdo_pgsql" => fn($host) => new PDO("pgsql:host=$host;port=80;connect_timeout=20"),
    "mysqli" => fn($host) => mysqli_connect($host, "u", "p", "d", 80),
    "ldap" => fn($host) => ldap_bind(ldap_connect("ldap://$host:80")),
    "snmp" => fn($host) => snmpget("$host:80", "public", "1.3.6.1", 200000, 0),
    "imap" => fn($host) => imap_open("{{$host}:80/imap/notls}INBOX", "u", "p", OP_HALFOPEN, 0),
    "memcached" => function ($host) {
        $client = new Memcached();
        $client->addServer($host, 80);
        $client->get("k");
    },
    "amqp" => fn($host) => (new AMQPConnection(["host" => $host, "port" => 80]))->connect(),
    "mongodb" => fn($host) => (new MongoDB\Driver\Manager("mongodb://$host:80/?serverSelectionTimeoutMS=1000"))
        ->executeCommand("admin", new MongoDB\Driver\Command(["ping" => 1])),
    "redis" => fn($host) => (new Redis())->connect($host, 80, 20),
    "ssh2" => fn($host) => ssh2_connect($host, 80),
];
$number = 0;
foreach ($dials as $name => $dial) {
    $number++;
    if (!extension_loaded($name)) {
        echo "$name is not installed\n";
        continue;
    }
    try {
        $dial("203.0.113.$number");
    } catch (Throwable $error) {
    }
    echo "$name\n";
}
