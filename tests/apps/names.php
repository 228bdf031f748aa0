<?php
// Looks the hosts of the arguments up as PHP programs do, and prints what comes: a line each.
foreach (array_slice($argv, 1) as $host) echo $host, " ", json_encode(gethostbynamel($host)), " ", gethostbyname($host), "\n";
echo gethostbyaddr("192.0.2.1"), " ", gethostname(), " ", php_uname("n"), "\n";
