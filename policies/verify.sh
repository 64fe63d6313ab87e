#!/bin/sh
# Verifies a document that Freehold signed, with nothing but openssl, jq and xxd:
#
#   sh verify.sh policies.json policies.jws signature-keys.json
#
# The signature is a detached JWS (RFC 7515, appendix F): header..signature over header.base64url(document).
set -eu
document=$1 jws=$2 keys=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
unbase64url() { tr -- '-_' '+/' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A; }
hex() { unbase64url | xxd -p | tr -d '\n'; }

header=$(tr -d '\r\n' <"$jws" | cut -d. -f1)
tr -d '\r\n' <"$jws" | cut -d. -f3 | unbase64url >"$work/signature"
printf %s "$header" | unbase64url >"$work/header"
test "$(jq -r .typ "$work/header")" = freehold-document || { echo "not a signature of a document" >&2; exit 1; }
kid=$(jq -r .kid "$work/header") alg=$(jq -r .alg "$work/header")
jq -e --arg kid "$kid" --arg alg "$alg" '.keys[] | select(.kid == $kid and .alg == $alg)' "$keys" >"$work/jwk" ||
    { echo "no key $kid of $alg" >&2; exit 1; }
part() { jq -r ".$1" "$work/jwk" | hex; }

# The key as openssl reads it: SubjectPublicKeyInfo (RFC 5480, RFC 8410, RFC 3279).
case $alg in
ES256)
    printf '3059301306072a8648ce3d020106082a8648ce3d03010703420004%s%s' "$(part x)" "$(part y)" | xxd -r -p >"$work/key"
    # JWS has r and s one after the other, openssl wants them as ASN.1.
    rs=$(xxd -p "$work/signature" | tr -d '\n')
    printf 'asn1=SEQUENCE:rs\n[rs]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' \
        "$(printf %s "$rs" | cut -c1-64)" "$(printf %s "$rs" | cut -c65-128)" >"$work/asn1"
    openssl asn1parse -genconf "$work/asn1" -noout -out "$work/signature"
    ;;
EdDSA)
    printf '302a300506032b6570032100%s' "$(part x)" | xxd -r -p >"$work/key"
    ;;
RS256)
    printf 'asn1=SEQUENCE:key\n[key]\na=SEQUENCE:id\nk=BITWRAP,SEQUENCE:rsa\n[id]\no=OID:rsaEncryption\nn=NULL\n[rsa]\nn=INTEGER:0x%s\ne=INTEGER:0x%s\n' \
        "$(part n)" "$(part e)" >"$work/asn1"
    openssl asn1parse -genconf "$work/asn1" -noout -out "$work/key"
    ;;
*)
    echo "unknown algorithm $alg" >&2
    exit 1
    ;;
esac

{ printf '%s.' "$header"; base64url <"$document"; } | tr -d '\n' >"$work/input"
digest=-sha256
if [ "$alg" = EdDSA ]; then digest=; fi
if [ -n "$digest" ]; then
    openssl dgst $digest -verify "$work/key" -keyform DER -signature "$work/signature" "$work/input" >/dev/null
else
    openssl pkeyutl -verify -pubin -inkey "$work/key" -keyform DER -rawin -in "$work/input" -sigfile "$work/signature" >/dev/null
fi || { echo "NOT what was signed: $document" >&2; exit 1; }
echo "verified: $document, signed $(jq -r '.iat | todate' "$work/header") by $kid ($alg)"
