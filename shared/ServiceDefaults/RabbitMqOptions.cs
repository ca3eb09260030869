using System.ComponentModel.DataAnnotations;

namespace Platform.ServiceDefaults;

/// <summary>Settings of the connection to the broker. Section <c>RabbitMq</c>.</summary>
public sealed class RabbitMqOptions
{
    /// <summary>
    /// The broker's address with user, password and virtual host, for example <c>amqp://user:password@host:5672/vhost</c>; with <c>amqps</c>
    /// every connection is encrypted, and the broker's certificate must name the host. Required.
    /// </summary>
    [Required(ErrorMessage = "RabbitMq:Uri is not set; set it (environment: RabbitMq__Uri) to the broker's address.")]
    public required Uri Uri { get; set; }

    /// <summary>
    /// The nodes of a cluster, each as <c>host:port</c>. A service connects to one of them, and to another one when that is lost. Default
    /// none: the host and port of <see cref="Uri"/>, which otherwise only names the cluster, with user, password and virtual host.
    /// </summary>
    public IList<string> Nodes { get; } = [];

    /// <summary>
    /// A file with the certificates of the authorities (PEM), one of which must have signed the broker's certificate. Default none: those that
    /// the machine trusts.
    /// </summary>
    public string? CertificateAuthority { get; set; }

    /// <summary>The heartbeat of the connection; two missed heartbeats end the connection. Default 10 s; range 1 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long the broker may take to answer a request, such as the declaration of a queue. Default 20 s; range 1 s to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a receive endpoint may be without its channel before it is restarted. Default 30 s; range 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan EndpointTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
