<?php
/*
 * The router script of `php -S`: who it thinks is asking, and under /walk what it finds of the pod by PHP's own calls.
 */
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
file_put_contents('php://stderr', "seen $path\n");
header('Content-Type: application/json');

$answer = ['by' => 'local'];
if ($path === '/walk') {
	$answer += [
		'variable' => getenv($_GET['variable']),
		'addresses' => gethostbynamel($_GET['name']),
		'answer' => file_get_contents($_GET['url']),
		'content' => file_get_contents($_GET['file']),
	];
} else {
	$answer += [
		'pid' => getmypid(),
		'peer' => $_SERVER['REMOTE_ADDR'],
		'peer_port' => (int) $_SERVER['REMOTE_PORT'],
		'env' => ['GREETING' => getenv('GREETING')],
	];
}
echo json_encode($answer);
