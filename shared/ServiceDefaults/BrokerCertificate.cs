using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.ServiceDefaults;

/// <summary>
/// Encrypts connections to a broker whose address begins with <c>amqps</c>, and decides whether the certificate that it shows is the
/// broker's. Of itself the bus speaks in clear on a port other than 5671, whatever the scheme says.
/// </summary>
internal sealed partial class BrokerCertificate
{
    /// <summary>The scheme of an address that asks for TLS.</summary>
    public const string Scheme = "amqps";

    private const int Port = 5671;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly RabbitMqOptions options;
    private readonly ILogger<BrokerCertificate> logger;
    private readonly X509Certificate2Collection authorities = [];

    public BrokerCertificate(IOptions<RabbitMqOptions> options, ILogger<BrokerCertificate> logger)
    {
        this.options = options.Value;
        this.logger = logger;
        if (this.options.CertificateAuthority is { } file)
        {
            authorities.ImportFromPemFile(file);
        }
    }

    /// <summary>The broker's address, with the port that TLS has where the address names none.</summary>
    public Uri Address => IsEncrypted && options.Uri.Port < 0 ? new UriBuilder(options.Uri) { Port = Port }.Uri : options.Uri;

    private bool IsEncrypted => IsTls(options.Uri);

    /// <summary>Whether connections to this address are encrypted.</summary>
    public static bool IsTls(Uri address) => address.Scheme.Equals(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>Sets up the host of a bus.</summary>
    public void Configure(IRabbitMqHostConfigurator host)
    {
        if (!IsEncrypted)
        {
            return;
        }

        host.UseSsl(ssl =>
        {
            // The versions that the machine allows.
            ssl.Protocol = SslProtocols.None;

            // Also where RabbitMq:Nodes names the machines: this is then the name of the cluster.
            ssl.ServerName = options.Uri.Host;
            ssl.EnforcePolicyErrors(
                SslPolicyErrors.RemoteCertificateNotAvailable
                    | SslPolicyErrors.RemoteCertificateNameMismatch
                    | SslPolicyErrors.RemoteCertificateChainErrors
            );
            ssl.CertificateValidationCallback = (_, certificate, chain, errors) => IsBrokers(certificate, chain, errors);
        });
    }

    private bool IsBrokers(X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is not X509Certificate2 certificate)
        {
            NoCertificate(logger, options.Uri.Host);
            return false;
        }

        var reasons = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            reasons.Add($"it does not name {options.Uri.Host}");
        }

        if (options.CertificateAuthority is { } file)
        {
            reasons.AddRange(FaultsOfChain(certificate, chain).Select(fault => $"by the authorities of {file}: {fault}"));
        }
        else if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            reasons.AddRange(Faults(chain).DefaultIfEmpty("nobody whom this machine trusts has signed it"));
        }

        if (reasons.Count > 0)
        {
            Refused(logger, options.Uri.Host, certificate.Subject, certificate.Issuer, string.Join("; ", reasons));
        }

        return reasons.Count == 0;
    }

    private List<string> FaultsOfChain(X509Certificate2 certificate, X509Chain? shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));

        // A broker's own authority seldom says where it lists what it has revoked.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (shown is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(shown.ChainPolicy.ExtraStore);
        }

        return chain.Build(certificate) ? [] : [.. Faults(chain).DefaultIfEmpty("it is not trusted")];
    }

    private static IEnumerable<string> Faults(X509Chain? chain) =>
        chain?.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct() ?? [];

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker {Host} is refused: it shows no certificate.")]
    private static partial void NoCertificate(ILogger logger, string host);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The broker {Host} is refused, and nothing is sent to it. Its certificate ({Subject}, signed by {Issuer}): {Reasons}."
    )]
    private static partial void Refused(ILogger logger, string host, string subject, string issuer, string reasons);
}

/// <summary>Checks at the start what <see cref="BrokerCertificate"/> reads.</summary>
internal sealed class BrokerCertificateCheck : IValidateOptions<RabbitMqOptions>
{
    private const string Setting = $"RabbitMq:{nameof(RabbitMqOptions.CertificateAuthority)}";

    public ValidateOptionsResult Validate(string? name, RabbitMqOptions options)
    {
        if (options is not { CertificateAuthority: { } file, Uri: { } address })
        {
            return ValidateOptionsResult.Skip;
        }

        if (!BrokerCertificate.IsTls(address))
        {
            return ValidateOptionsResult.Fail(
                $"{Setting} is set, but RabbitMq:Uri does not begin with {BrokerCertificate.Scheme}://, so nothing would be encrypted."
            );
        }

        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPemFile(file);
            return found.Count > 0
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail($"{Setting}: {file} contains no certificate in PEM (-----BEGIN CERTIFICATE-----).");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return ValidateOptionsResult.Fail($"{Setting}: {file} cannot be read: {exception.Message}");
        }
    }
}
