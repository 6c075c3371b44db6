# certs.sh - for tests that need certificates: made with certtool at test time.
#
#   authority ca                        a CA: $W/ca.pem (certificate), $W/ca.key
#   issue bob ca 'dns_name = bob'       a certificate of that CA ("self": self-signed), with these lines of certtool's template
#                                       besides the name: $W/bob.crt, $W/bob.key, and $W/bob.pem with both, for -i
#   pin_of bob                          the pin of $W/bob.crt

new_key() { certtool --generate-privkey --key-type=ecdsa --curve=secp256r1 --outfile "$W/$1.key" >/dev/null 2>&1; }

authority() { # NAME [TEMPLATE-LINE...]
    local name=$1
    shift
    new_key "$name"
    printf '%s\n' "cn = $name" ca cert_signing_key "${@:-expiration_days = 9}" >"$W/template"
    certtool --generate-self-signed --load-privkey "$W/$name.key" --template "$W/template" --outfile "$W/$name.pem" 2>/dev/null
}

issue() { # NAME AUTHORITY [TEMPLATE-LINE...]
    local name=$1 by=$2
    shift 2
    [ -e "$W/$name.key" ] || new_key "$name"
    printf '%s\n' signing_key "$@" >"$W/template"
    grep -q '^cn = ' "$W/template" || echo "cn = $name" >>"$W/template"
    grep -q '^expiration' "$W/template" || echo 'expiration_days = 9' >>"$W/template"
    if [ "$by" = self ]; then
        certtool --generate-self-signed --load-privkey "$W/$name.key" --template "$W/template" --outfile "$W/$name.crt" 2>/dev/null
    else
        certtool --generate-certificate --load-privkey "$W/$name.key" --load-ca-certificate "$W/$by.pem" \
            --load-ca-privkey "$W/$by.key" --template "$W/template" --outfile "$W/$name.crt" 2>/dev/null
    fi
    (umask 077 && cat "$W/$name.crt" "$W/$name.key" >"$W/$name.pem")
}

pin_of() { certtool --infile "$W/$1.crt" --pubkey-info --outder 2>/dev/null | openssl dgst -sha256 -binary | base64 | sed 's/^/pin-sha256:/'; }
