<?php
// A picture that the server fetches itself; a text makes it a URL-encoded form.
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('HOST') . '/v1/plate-reader/',
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => http_build_query(['upload_url' => $argv[1], 'regions' => 'us-ca']),
    CURLOPT_HTTPHEADER => ['Authorization: Token ' . getenv('TOKEN')],
]);
echo curl_exec($curl);
curl_close($curl);
