using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Platform.Support;

/// <summary>An authority that signs certificates for one test, and that nobody else trusts.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly DateTimeOffset from = TimeProvider.System.GetUtcNow().AddDays(-1);
    private readonly X509Certificate2 certificate;

    public TestAuthority()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=Authority of a test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        certificate = request.CreateSelfSigned(from, from.AddDays(10));
    }

    /// <summary>Its own certificate, as clients read it.</summary>
    public string Pem => certificate.ExportCertificatePem();

    /// <summary>Lets a server of <c>tools/servers.sh</c> that starts in this folder take TLS only, with a certificate for these names.</summary>
    /// <returns>The folder.</returns>
    public string Certify(string folder, params IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var tls = Directory.CreateDirectory(Path.Combine(folder, "tls")).FullName;
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=Server of a test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true)
        );
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));
        using var signed = request.Create(certificate, from, from.AddDays(9), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(tls, "ca.pem"), Pem);
        File.WriteAllText(Path.Combine(tls, "server.pem"), signed.ExportCertificatePem());
        File.WriteAllText(Path.Combine(tls, "server.key"), key.ExportPkcs8PrivateKeyPem());
        if (!OperatingSystem.IsWindows())
        {
            // PostgreSQL refuses a key that others may read.
            File.SetUnixFileMode(Path.Combine(tls, "server.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return folder;
    }

    /// <inheritdoc />
    public void Dispose() => certificate.Dispose();
}
