<?php
// Asks the name servers for records as PHP programs do, and prints what comes: a line each.
foreach (array_slice($argv, 1) as $host) {
    foreach ([DNS_SRV, DNS_TXT, DNS_MX, DNS_A, DNS_CNAME, DNS_ANY] as $type) {
        $records = @dns_get_record($host, $type, $authority, $additional);
        echo $host, " ", $type, " ", json_encode($records), " ", json_encode($additional), "\n";
    }
    echo $host, " ", json_encode(checkdnsrr($host, "TXT")), " ", json_encode(getmxrr($host, $hosts, $weights)), " ", json_encode($hosts), "\n";
}
