<?php
// A picture as base64 in a form; an array makes it multipart.
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('HOST') . '/v1/plate-reader/',
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => [
        'upload' => base64_encode(file_get_contents($argv[1])),
        'regions' => 'us-ca',
    ],
    CURLOPT_HTTPHEADER => ['Authorization: Token ' . getenv('TOKEN')],
]);
echo curl_exec($curl);
curl_close($curl);
