#!/bin/sh
# Runs one Kafka broker until standard input ends, so that it cannot outlive the test process.
# usage: start.sh DIRECTORY CLASSPATH, with server.properties in the directory
dir=$1
classpath=$2
jvm="-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"

prepare() {
    [ -f "$dir/prepared" ] && return 0
    keytool -genkeypair -alias broker -keyalg EC -dname CN=localhost -ext SAN=dns:localhost -validity 3650 \
        -keystore "$dir/keys.p12" -storetype PKCS12 -storepass windrow -keypass windrow &&
        keytool -exportcert -rfc -alias broker -keystore "$dir/keys.p12" -storepass windrow \
            -file "$dir/ca.pem" &&
        java $jvm -cp "$classpath" kafka.tools.StorageTool format -t d2luZHJvdy10ZXN0cy0wMQ \
            -c "$dir/server.properties" --add-scram 'SCRAM-SHA-256=[name=alice,password=correct]' &&
        touch "$dir/prepared"
}

run() {
    prepare && exec java $jvm -cp "$classpath" kafka.Kafka "$dir/server.properties"
}

run </dev/null >>"$dir/broker.log" 2>&1 &
broker=$!
cat >/dev/null
kill -9 $broker 2>/dev/null
wait $broker 2>/dev/null
# A broker that will be started again leaves this file.
[ -f "$dir/keep" ] || rm -rf "$dir"
