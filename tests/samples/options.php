<?php
// Everything that can be said beside the picture; an array of PHP can name 'regions' only once.
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('HOST') . '/v1/plate-reader/',
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => [
        'upload' => new CURLFile($argv[1]),
        'regions' => 'us-ca,mx',
        'mmc' => 'true',
        'camera_id' => 'gate-1',
        'timestamp' => '2026-03-05T14:02:11',
        'config' => json_encode(['mode' => 'fast', 'threshold_d' => 0.3, 'threshold_o' => 0.5]),
    ],
    CURLOPT_HTTPHEADER => ['Authorization: Token ' . getenv('TOKEN')],
]);
echo curl_exec($curl);
curl_close($curl);
