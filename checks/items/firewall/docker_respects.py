"""Is a container port published past the firewall?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

COMPOSE = """
    services:
      web:
        ports:
          - "127.0.0.1:3000:3000"
      redis:
        image: redis"""

DAEMON = """
    {
      "ip": "127.0.0.1"
    }"""

RESTART = """
    sudo systemctl restart docker
    docker compose up -d"""

DOCKER_USER = """
    sudo iptables -I DOCKER-USER -i eth0 -m conntrack --ctstate NEW -p tcp -m multiport ! --dports 80,443 -j DROP
    sudo ip6tables -I DOCKER-USER -i eth0 -m conntrack --ctstate NEW -p tcp -m multiport ! --dports 80,443 -j DROP"""

PODMAN = """
    podman run -p 127.0.0.1:3000:3000 IMAGE"""

VERIFY = """
    docker ps --format '{{.Names}}: {{.Ports}}'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text(
        "No container port is published past the firewall",
        "コンテナのポートがファイアウォールを素通りして公開されていない",
    ),
    why=Text(
        "Docker writes its own rules in front of those of ufw. A port published without an address is open to the world although the firewall shows it as closed, and fail2ban and the CrowdSec bouncer do not see it either.",
        "Docker は ufw より手前に自分のルールを入れます。アドレスを指定せずに公開したポートは、ファイアウォールで閉じたつもりでも世界中に開き、fail2ban や CrowdSec のバウンサーも効きません。",
    ),
    expected=Text(
        "Apart from 80 and 443 of the reverse proxy, no container publishes a port on 0.0.0.0 or [::]. Ports for the proxy on the host are published on 127.0.0.1.",
        "リバースプロキシの 80 と 443 を除き、どのコンテナも 0.0.0.0 や [::] でポートを公開していない状態。ホスト側のプロキシに渡すポートは 127.0.0.1 で公開します。",
    ),
    fix=Fix(
        Text(
            "Write the loopback address in front of each published port, and leave ports out where only other containers connect:\n"
            + COMPOSE
            + "\n\nTo make this the default for all new containers, in /etc/docker/daemon.json:\n"
            + DAEMON
            + "\n"
            + RESTART,
            "公開するポートの先頭にループバックアドレスを書きます。ほかのコンテナからしか使わないものには ports を書きません。\n"
            + COMPOSE
            + "\n\n新しいコンテナすべての既定値にするには、/etc/docker/daemon.json に書きます。\n"
            + DAEMON
            + "\n"
            + RESTART,
        ),
        variants=(
            (
                "iptables",
                Text(
                    "Where ports must stay published, filter them in the chain that Docker leaves to you. Replace eth0 by your interface; the ports named are those inside the container, and the rules are lost at reboot unless you save them:\n"
                    + DOCKER_USER,
                    "公開したままにするポートは、Docker が利用者のために空けているチェインで絞ります。eth0 は自分のインターフェース名に置き換えてください。ポート番号はコンテナ側のもので、ルールは保存しないと再起動で消えます。\n"
                    + DOCKER_USER,
                ),
            ),
            (
                "Podman",
                Text(
                    "Rootless Podman opens an ordinary port of the user, so the host firewall holds; with root the same rule as for Docker applies:\n"
                    + PODMAN,
                    "rootless の Podman は普通のプログラムと同じようにポートを開くため、ホストのファイアウォールが効きます。root で使う場合は Docker と同じ注意が必要です。\n"
                    + PODMAN,
                ),
            ),
        ),
    ),
    verify=Text(
        "No line may show 0.0.0.0: or [::]: other than for 80 and 443. Without Docker the item does not apply.\n"
        + VERIFY,
        "80 と 443 のほかに 0.0.0.0: や [::]: の付く行がないことを確認します。Docker を使っていなければ対象外です。\n"
        + VERIFY,
    ),
)
