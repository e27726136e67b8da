#!/usr/bin/env bash
# Fetches what "-broker local" and "-broker local3" run: Apache Kafka's jars, with
# Maven, into .cache/kafka/VERSION/libs.
#
#   scripts/fetch-kafka.sh [VERSION]     without one, the version in scripts/kafka/pom.xml
#
# It needs Java 17 or newer and Maven; as root on Debian or Ubuntu it installs
# what is missing. When the jars are there it does nothing. Several may run at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly POM=scripts/kafka/pom.xml
readonly INSTALL_SECONDS=600    # bounds the installation of Java and Maven
readonly DOWNLOAD_SECONDS=600   # bounds Maven
readonly JAVA_OLDEST=17

version=${1:-$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$POM")}
# A missing jar of these is a broker that does not start, has no storage to
# start on, logs nothing, or has nothing to be compared with.
readonly NEEDED=("kafka_2.13-$version" "kafka-server-$version" "kafka-clients-$version" "kafka-tools-$version"
  log4j-core-'*' log4j-slf4j-impl-'*')

fail() {
  echo "fetch-kafka.sh: $1" >&2
  exit 1
}

# bounded SECONDS COMMAND...: where there is a timeout(1).
bounded() {
  if command -v timeout >/dev/null; then
    timeout -k 10 "$@"
  else
    "${@:2}"
  fi
}

# missing FOLDER: the first needed jar that is not in it.
missing() {
  local jar
  for jar in "${NEEDED[@]}"; do
    compgen -G "$1/$jar.jar" >/dev/null || { echo "$jar.jar"; return; }
  done
}

java_version() {
  java -version 2>&1 | sed -n 's/.* version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

java_will_do() {
  local found
  command -v java >/dev/null && found=$(java_version) && ((${found:-0} >= JAVA_OLDEST))
}

install_tools() {
  local package
  if java_will_do && command -v mvn >/dev/null; then return; fi
  if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    fail "needs Java $JAVA_OLDEST or newer and Maven (java and mvn on the PATH): install them; on Debian: apt-get install openjdk-17-jre-headless maven"
  fi
  echo "installing Java and Maven"
  bounded "$INSTALL_SECONDS" apt-get update || fail "apt-get update failed: see above"
  # Debian 12 has 17; later ones have a newer default.
  for package in openjdk-17-jre-headless default-jre-headless; do
    java_will_do && break
    DEBIAN_FRONTEND=noninteractive bounded "$INSTALL_SECONDS" apt-get install -y --no-install-recommends "$package" || true
  done
  DEBIAN_FRONTEND=noninteractive bounded "$INSTALL_SECONDS" apt-get install -y --no-install-recommends maven || fail "apt-get could not install maven: see above"
  java_will_do || fail "finds Java $(java_version) and needs $JAVA_OLDEST or newer: install one and put it first on the PATH"
}

# fetch downloads beside the place where the jars belong and moves them there
# when they are whole: others see all of them or none.
fetch() {
  local jar
  draft=$(mktemp -d "$cache/.fetch.XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  # --strict-checksums: a damaged jar is an error.
  bounded "$DOWNLOAD_SECONDS" mvn --batch-mode --quiet -Dstyle.color=never --strict-checksums --file "$POM" \
    package -Dkafka.version="$version" -Dlibs="$draft/$version/libs" ||
    fail "Maven could not download Kafka $version (exit code $?; 124 is its time of $DOWNLOAD_SECONDS s): see above; it needs a Maven repository within reach"
  jar=$(missing "$draft/$version/libs")
  [[ -z $jar ]] || fail "Maven downloaded Kafka $version without $jar"
  java -cp "$draft/$version/libs/*" kafka.tools.StorageTool random-uuid >/dev/null ||
    fail "Kafka $version does not run with this Java: see above"
  # Onto a folder that another call made meanwhile this fails, and that one is as good.
  mv "$draft/$version" "$cache/" 2>/dev/null || [[ -z $(missing "$libs") ]] || fail "cannot move the jars to $libs"
}

[[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail "\"$version\" is no version of Kafka: name one such as 4.3.1"
cache=$PWD/.cache/kafka
libs=$cache/$version/libs
mkdir -p "$cache"
# One at a time, where there is a flock(1): the others then find the jars.
exec 9>"$cache/lock"
if command -v flock >/dev/null; then
  flock -w $((INSTALL_SECONDS + DOWNLOAD_SECONDS)) 9 || fail "waited for another fetch-kafka.sh, which holds $cache/lock"
  rm -rf "$cache"/.fetch.* # of one that was killed
fi
if [[ -e $cache/$version ]]; then
  jar=$(missing "$libs")
  [[ -z $jar ]] || fail "$libs lacks $jar: remove $cache/$version and run this again"
  echo "Kafka $version is in $libs: nothing to do"
  exit 0
fi
install_tools
fetch
echo "Kafka $version is in $libs: $(find "$libs" -name '*.jar' | wc -l | tr -d ' ') jars"
